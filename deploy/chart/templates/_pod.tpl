{{/*
The pod of a role. `root`: the chart's own scope, `role`: what `python -m app` is given, `own`: the
values of this role.
*/}}
{{- define "replay-buffer.pod" -}}
{{- $root := .root -}}
{{- $serves := eq .role (include "replay-buffer.server" $root) -}}
metadata:
  labels:
    {{- include "replay-buffer.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
  {{- with $root.Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "replay-buffer.name" $root }}
  automountServiceAccountToken: false
  # A Service named metrics, of anybody here, would give the variable METRICS_PORT.
  enableServiceLinks: false
  terminationGracePeriodSeconds: 45
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.scheduling }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001 # the image's: it owns what lies on the volumes
    runAsGroup: 0 # egress's, too
    fsGroup: 0
    # Else each start would open every file below to the group, which egress is of.
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: {{ .role }}
      image: {{ include "replay-buffer.image" $root | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [{{ .role }}]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        privileged: false
        capabilities:
          drop: [ALL]
      env:
        {{- include "replay-buffer.environment" $root | nindent 8 }}
      {{- if or $serves $root.Values.metrics.enabled }}
      ports:
        {{- if $serves }}
        - name: http
          containerPort: 8000
        {{- end }}
        {{- if $root.Values.metrics.enabled }}
        - name: metrics
          containerPort: {{ $root.Values.metrics.port }}
        {{- end }}
      {{- end }}
      # An upgrade of the rows may take its time, as may a store that is not there yet.
      startupProbe:
        {{- include "replay-buffer.asked" .role | nindent 8 }}
        periodSeconds: 10
        timeoutSeconds: 15
        failureThreshold: 60
      livenessProbe:
        {{- include "replay-buffer.asked" .role | nindent 8 }}
        periodSeconds: 30
        timeoutSeconds: 15
        failureThreshold: 3
      {{- if $serves }}
      # Not /readyz: it is red while LiveKit or the last worker is away, and would take downloads and
      # webhooks with it.
      readinessProbe:
        httpGet:
          path: /healthz
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      lifecycle:
        preStop:
          exec:
            command: [sleep, "5"] # until nobody sends requests here any more
      {{- end }}
      resources:
        {{- toYaml .own.resources | nindent 8 }}
      volumeMounts:
        - name: media
          mountPath: /volume
        {{- if eq .role "single" }}
        - name: data
          mountPath: /stores
        {{- end }}
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: media
      persistentVolumeClaim:
        claimName: {{ include "replay-buffer.mediaClaim" $root }}
    {{- if eq .role "single" }}
    - name: data
      persistentVolumeClaim:
        claimName: {{ include "replay-buffer.dataClaim" $root }}
    {{- end }}
    - name: tmp
      emptyDir:
        sizeLimit: 128Mi
{{- end -}}

{{/* How a role is asked whether it is well. */}}
{{- define "replay-buffer.asked" -}}
{{- if eq . "api" -}}
httpGet:
  path: /healthz
  port: http
{{- else -}}
exec:
  command: [python, -m, app, health, {{ . }}]
{{- end -}}
{{- end -}}

{{/*
The settings. Both folders are made by the service, below volumes that belong to others. As JSON a
whole number has no exponent; `$(` would begin the name of a variable.
*/}}
{{- define "replay-buffer.environment" -}}
- name: FILE_UPLOAD_DEST
  value: /volume/media
- name: EGRESS_FILE_UPLOAD_DEST
  value: {{ .Values.media.egressPath | quote }}
- name: DATA_DIR
  value: /stores/data
- name: HOST
  value: 0.0.0.0
- name: PORT
  value: "8000"
- name: METRICS_PORT
  value: {{ ternary .Values.metrics.port 0 .Values.metrics.enabled | quote }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ ternary $value (toJson $value) (kindIs "string" $value) | replace "$(" "$$(" | toJson }}
{{- end }}
{{- range $name, $from := .Values.secrets }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.name | quote }}
      key: {{ $from.key | default $name | quote }}
{{- end }}
{{- end -}}
