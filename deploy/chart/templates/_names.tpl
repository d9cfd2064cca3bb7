{{- define "replay-buffer.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What tells the pods of this release from others, whatever their role. */}}
{{- define "replay-buffer.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "replay-buffer.labels" -}}
{{ include "replay-buffer.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "replay-buffer.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "replay-buffer.mediaClaim" -}}
{{- .Values.media.existingClaim | default (printf "%s-media" (include "replay-buffer.name" .)) -}}
{{- end -}}

{{- define "replay-buffer.dataClaim" -}}
{{- .Values.data.existingClaim | default (printf "%s-data" (include "replay-buffer.name" .)) -}}
{{- end -}}

{{/* The role that serves the HTTP API. */}}
{{- define "replay-buffer.server" -}}
{{- ternary "single" "api" (eq .Values.mode "single") -}}
{{- end -}}
