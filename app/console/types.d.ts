// The service's JSON, from the description of its API: `python -m tests.console_types` writes this.

/** A capture of a share that will be made. */
export interface Accepted {
  id: string;
  status: 'queued' | 'waiting' | 'running' | 'ready' | 'failed' | 'cancelled';
  clip_id: string;
  events_url: string;
  capture_url: string;
  playlist_url: string;
}

/** Whether everybody buffers and captures their own shares, or who has a role for it. */
export type AccessMode = 'open' | 'rbac';

/** What somebody may do in a community. */
export type Action = 'enable_replay_buffer' | 'capture_replay' | 'manage_community_replay_config';

/** The process answers. */
export interface Alive {
  status: 'alive';
}

/** Which clips go into one file. */
export interface ArchiveRequest {
  clip_ids: Array<string>;
}

/** A zip that is written while it is downloaded. */
export interface ArchiveView {
  download_url: string;
  size_bytes: number;
}

/** A page of names of rooms. */
export interface AssignedPage {
  items: Array<string>;
  next: string | null;
}

/** A name of rooms, and the community that they are assigned to. */
export interface AssignedView {
  room: string;
  community: string;
}

/** What an entry of the audit tells of. */
export type AuditAction = 'buffer_forgotten' | 'captured' | 'capture_cancelled' | 'clip_changed' | 'clip_converted' | 'clip_deleted' | 'clip_expired' | 'clip_restored' | 'clip_shared' | 'community_configured' | 'deletion_requested' | 'event_sent_again' | 'events_tried' | 'marker_deleted' | 'member_removed' | 'member_set' | 'opted_out' | 'quota_repaired' | 'quota_set' | 'recording_resumed' | 'recording_stopped' | 'rendition_deleted' | 'room_assigned' | 'room_released' | 'sessions_ended' | 'signed_out_everywhere';

/** A page of entries. */
export interface AuditPage {
  items: Array<AuditView>;
  next: string | null;
}

/** Who did what to what, and when. */
export interface AuditView {
  id: string;
  at: string;
  done_by: string;
  action: AuditAction;
  subject: string;
  room: string;
  data: Record<string, unknown>;
}

/** A share with its timeline, and what was marked on it. */
export interface BufferDetail {
  id: string;
  room: string;
  sharer: string;
  state: BufferState;
  why: Why | null;
  why_detail: string;
  retry_at: string | null;
  started_at: string;
  ended_at: string | null;
  oldest: string | null;
  newest: string | null;
  media_seconds: number;
  audio: boolean;
  session_ids: Array<string>;
  clock: ClockKind;
  encoding: string | null;
  encoding_why: EncodingWhy | null;
  playlist_url: string | null;
  replay_url: string | null;
  poster_url: string | null;
  thumbnails_url: string | null;
  spans: Array<SpanView>;
  gaps: Array<GapView>;
  markers: Array<MarkerView>;
}

/** A server-sent event: anything of a buffer has changed. */
export interface BufferEvent {
  event: 'buffer';
  data: string;
}

/** A page of buffers. */
export interface BufferPage {
  items: Array<BufferView>;
  next: string | null;
}

/** What a share is doing. */
export type BufferState = 'waiting' | 'starting' | 'recording' | 'lagging' | 'stalled' | 'ended' | 'refused';

/** A share with its timeline. */
export interface BufferTimeline {
  id: string;
  room: string;
  sharer: string;
  state: BufferState;
  why: Why | null;
  why_detail: string;
  retry_at: string | null;
  started_at: string;
  ended_at: string | null;
  oldest: string | null;
  newest: string | null;
  media_seconds: number;
  audio: boolean;
  session_ids: Array<string>;
  clock: ClockKind;
  encoding: string | null;
  encoding_why: EncodingWhy | null;
  playlist_url: string | null;
  replay_url: string | null;
  poster_url: string | null;
  thumbnails_url: string | null;
  spans: Array<SpanView>;
  gaps: Array<GapView>;
}

/** A share and what is kept of it. Its URLs need no token, for a while. */
export interface BufferView {
  id: string;
  room: string;
  sharer: string;
  state: BufferState;
  why: Why | null;
  why_detail: string;
  retry_at: string | null;
  started_at: string;
  ended_at: string | null;
  oldest: string | null;
  newest: string | null;
  media_seconds: number;
  audio: boolean;
  session_ids: Array<string>;
  clock: ClockKind;
  encoding: string | null;
  encoding_why: EncodingWhy | null;
  playlist_url: string | null;
  replay_url: string | null;
  poster_url: string | null;
  thumbnails_url: string | null;
}

/** Whose a token is, what they may do, and how much. */
export interface CallerView {
  expires_at: string | null;
  identity: string;
  room: string | null;
  room_admin: boolean;
  instance_admin: boolean;
  communities: Array<StandingView>;
  limits: LimitsView;
}

/** A server-sent event of a capture's stream. */
export interface CaptureEvent {
  event: 'capture';
  data: string;
}

/** Whose shares one may capture in a community, besides one's own. */
export type CapturePolicy = 'self' | 'room' | 'role';

/** What to capture: which share, and which part of it. The share is `buffer_id`, or `room` with `sharer` and `track_sid`. The window is `last`, or `start` and `end`. Lengths are seconds, or texts such as `90s` and `1m30s`. */
export interface CaptureRequest {
  room?: string | null;
  sharer?: string | null;
  track_sid?: string | null;
  buffer_id?: string | null;
  last?: number | string | null;
  start?: string | null;
  end?: string | null;
  post_roll?: number | string;
  tail?: Tail;
  cut?: Cut;
  gaps?: Gaps;
  title?: string;
}

/** What is done for a capture right now, in words that its caller is shown. */
export type CaptureStage = '' | 'waiting for media' | 'copying' | 'encoding' | 'finishing' | 'waiting for storage';

/** A capture: what was asked for, and how far it is. */
export interface CaptureView {
  status: 'queued' | 'waiting' | 'running' | 'ready' | 'failed' | 'cancelled';
  stage: CaptureStage;
  progress: number;
  reason: FailureReason | null;
  detail: string;
  clip: ClipView | null;
  id: string;
  clip_id: string;
  buffer_id: string;
  room: string;
  sharer: string;
  trimmed_from: string | null;
  moment_id: string | null;
  title: string;
  cut: Cut;
  requested: Requested;
  window: Requested;
  notes: Array<ClipNote>;
  playlist_url: string;
  events_url: string;
  accepted_at: string;
  finished_at: string | null;
}

/** What no community's own limits may exceed. */
export interface CeilingsView {
  max_concurrent: number;
  max_concurrent_per_user: number;
  retention_minutes: number;
}

/** A moment that somebody had marked when the clip was made. */
export interface ChapterView {
  seconds: number;
  label: string;
}

/** A clip, as far as it matters for its owner's quota. */
export interface ChargedClipView {
  id: string;
  title: string;
  room: string;
  duration_seconds: number;
  size_bytes: number;
  created_at: string;
}

/** A page of clips. */
export interface ChargedPage {
  items: Array<ChargedClipView>;
  next: string | null;
}

/** What one check found. */
export interface CheckView {
  name: string;
  ok: boolean;
  level: 'ok' | 'warn' | 'unknown' | 'fail';
  detail: string;
  advice: string;
}

/** What all checks found. */
export interface ChecksView {
  at: string;
  ok: boolean;
  items: Array<CheckView>;
}

/** What shall change; what is left out stays as it is. */
export interface ClipChange {
  title?: string | null;
  visibility?: Visibility | null;
  link_days?: number | null;
  link_tells?: Array<LinkFact> | null;
  share_hidden_head?: boolean | null;
  keep?: boolean | null;
  closed?: boolean | null;
}

/** Why the clip shall be deleted. */
export interface ClipDeletionRequest {
  reason?: string;
}

/** A stretch of the window without a picture. */
export interface ClipGapView {
  start: string;
  end: string;
  why: GapWhy;
  kept: boolean;
}

/** How a window or a clip differs from what was asked for, or was permitted at first. */
export type ClipNote = 'start-clamped' | 'end-clamped' | 'share-ended' | 'clock-approximate' | 'while-present' | 'permission-ended';

/** Which clips of a list come first. */
export type ClipOrder = 'newest' | 'oldest' | 'largest';

/** A page of clips. */
export interface ClipPage {
  items: Array<ClipView>;
  next: string | null;
}

/** What becomes of a trim of the clip. */
export interface ClipRestoreRequest {
  in_place_of?: string | null;
}

/** A clip. Its media URLs need no token, for a while. */
export interface ClipView {
  id: string;
  title: string;
  owner: string;
  right: 'read' | 'ask' | 'close' | 'delete' | 'change';
  sharer: string;
  buffer_id: string;
  trimmed_from: string | null;
  moment_id: string | null;
  room: string;
  requested: Requested;
  delivered: Delivered;
  gaps: Array<ClipGapView>;
  chapters: Array<ChapterView>;
  notes: Array<ClipNote>;
  tail_lag_seconds: number;
  hidden_head_seconds: number;
  preparing: boolean;
  audio: boolean;
  width: number;
  height: number;
  cut: Cut;
  clock: ClockKind;
  visibility: Visibility;
  closed_by: string | null;
  deletion_request: DeletionRequestView | null;
  link_url: string | null;
  page_url: string | null;
  link_expires_at: string | null;
  link_tells: Array<LinkFact>;
  views: number | null;
  keep: boolean;
  size_bytes: number;
  checksum: string | null;
  file_id: string;
  file_url: string;
  download_url: string;
  poster_url: string;
  thumbnails_url: string;
  created_at: string;
  expires_at: string | null;
  deleted_at: string | null;
}

/** Whether wall-clock times come from the egress's own clock, or from a stand-in. */
export type ClockKind = 'exact' | 'approximate';

/** A page of communities. */
export interface CommunityPage {
  items: Array<CommunityView>;
  next: string | null;
}

/** A community, the rules in force there, and how much goes on in it. */
export interface CommunityView {
  id: string;
  title: string;
  enabled: boolean;
  max_concurrent: number;
  max_concurrent_per_user: number;
  access: AccessMode;
  capture_policy: CapturePolicy;
  sharer_rights: SharerRights;
  retention_minutes: number;
  active: number;
  members: number;
}

/** A community's own rules. What is left out stays as it is; null: the instance's setting. */
export interface ConfigRequest {
  title?: string | null;
  enabled?: boolean;
  max_concurrent?: number | null;
  max_concurrent_per_user?: number | null;
  access?: AccessMode | null;
  capture_policy?: CapturePolicy | null;
  sharer_rights?: SharerRights | null;
  retention_minutes?: number | null;
}

/** The rules in force in a community. */
export interface ConfigView {
  community: string;
  title: string;
  enabled: boolean;
  max_concurrent: number;
  max_concurrent_per_user: number;
  access: AccessMode;
  capture_policy: CapturePolicy;
  sharer_rights: SharerRights;
  retention_minutes: number;
  own: Array<string>;
  defaults: DefaultsView;
  ceilings: CeilingsView;
}

/** Where a clip begins and ends. */
export type Cut = 'precise' | 'segment' | 'exact';

/** The rules of the instance, which hold where a community has none of its own. */
export interface DefaultsView {
  max_concurrent: number;
  max_concurrent_per_user: number;
  access: AccessMode;
  capture_policy: CapturePolicy;
  sharer_rights: SharerRights;
  retention_minutes: number;
}

/** That the clip's owner is asked to delete it. */
export interface DeletionRequestView {
  requested_by: string;
  reason: string;
  requested_at: string;
}

/** What the clip shows. */
export interface Delivered {
  start: string;
  end: string;
  duration_seconds: number;
}

/** How an event stands at one of its targets. */
export interface DeliveryView {
  target: string;
  state: EventState;
  attempts: number;
  last_error: string;
}

/** Why a share is recorded in a cheaper encoding than ENCODING. */
export type EncodingWhy = 'egress-behind' | 'egress-overloaded' | 'stepped-before';

/** One of our events, whatever became of it. */
export interface EventInFull {
  id: string;
  event: EventName;
  room: string;
  number: number;
  state: EventState;
  attempts: number;
  last_error: string;
  targets: Array<DeliveryView>;
  created_at: string;
  next_try_at: string;
}

/** What one of our events tells of. */
export type EventName = 'buffer_started' | 'buffer_ended' | 'buffer_refused' | 'buffer_encoding' | 'buffer_erased' | 'capture_ready' | 'screen_captured' | 'capture_failed' | 'quota_exceeded' | 'role_changed' | 'clip_shared' | 'clip_withdrawn' | 'deletion_requested' | 'ping';

/** A page of events. */
export interface EventPage {
  items: Array<EventView>;
  next: string | null;
}

/** What became of one of our events. A dead one was given up after a day. */
export type EventState = 'pending' | 'delivered' | 'dead';

/** One of our events on its way, or given up. */
export interface EventView {
  id: string;
  event: EventName;
  room: string;
  number: number;
  state: 'dead' | 'pending';
  attempts: number;
  last_error: string;
  targets: Array<DeliveryView>;
  created_at: string;
  next_try_at: string;
}

/** Why a capture has failed. Each is the slug of an error, which says it in words. */
export type FailureReason = 'ffmpeg-failed' | 'ffmpeg-missing' | 'ffmpeg-stalled' | 'gave-up' | 'media-deleted' | 'nothing-recorded' | 'segment-changed' | 'sizes-differ' | 'storage-full' | 'verification-failed';

/** How many captures have failed for one reason. */
export interface FailureView {
  reason: FailureReason;
  count: number;
}

/** A stretch of which nothing can be shown. */
export interface GapView {
  start: string;
  end: string;
  why: 'lost' | 'expired' | 'not-present' | 'not-shared' | 'refused' | 'egress-failed' | 'egress-ended' | 'codec' | 'corrupt' | 'empty' | 'not-a-file' | 'no-keyframe' | 'no-video' | 'timestamps' | 'too-large' | 'truncated' | 'unreadable' | 'missing' | 'deleted';
}

/** Why a part of a clip has no new picture. */
export type GapWhy = 'no-picture' | 'lost' | 'not-recorded' | 'not-present';

/** What becomes of pauses between recordings. */
export type Gaps = 'skip' | 'keep';

/** A server-sent event: a buffer is not there any more, or not to be seen. */
export interface GoneEvent {
  event: 'gone';
  data: string;
}

/** A buffer that is not there any more, or not to be seen. */
export interface GoneView {
  id: string;
}

/** Samples. Where nobody took one, none stands. */
export interface HistoryView {
  step_seconds: number;
  items: Array<SampleView>;
  disk_full_at: string | null;
}

/** What holds in this instance, where a community has no rules of its own. */
export interface LimitsView {
  max_capture_seconds: number;
  retention_seconds: number;
  marker_minutes: number;
  clip_days: number | null;
  capture_policy: CapturePolicy;
  access: AccessMode;
  events: boolean;
  title_length: number;
  text_length: number;
  post_roll_seconds: number;
  restore_seconds: number;
}

/** What the page of a clip's link tells besides its title, if the owner lets it. */
export type LinkFact = 'who' | 'when' | 'chapters';

/** Somebody's role and single grants. */
export interface ListedMember {
  identity: string;
  role: Role;
  grants: Array<Action>;
}

/** All markers of a share that the caller may see. */
export interface MarkerList {
  items: Array<MarkerView>;
}

/** Which moment. */
export interface MarkerRequest {
  at?: string | null;
  label?: string;
}

/** A marked moment. What is around it is kept until `kept_until`. */
export interface MarkerView {
  id: string;
  buffer_id: string;
  at: string;
  label: string;
  marked_by: string;
  created_at: string;
  kept_until: string;
}

/** A page of members. */
export interface MemberPage {
  items: Array<ListedMember>;
  next: string | null;
}

/** The role and the grants that somebody shall have, in place of those that they have. */
export interface MemberRequest {
  role?: Role;
  grants?: Array<Action>;
}

/** Somebody's role and single grants in a community. */
export interface MemberView {
  community: string;
  identity: string;
  role: Role;
  grants: Array<Action>;
}

/** What the chat is asked to post. */
export interface MessageView {
  text: string;
  attachments: Array<string>;
}

/** Captures of one window, which belong together. */
export interface MomentAccepted {
  moment_id: string;
  room: string;
  room_sid: string;
  window: Requested;
  captures: Array<MomentCapture>;
  refused: Array<MomentRefusal>;
  complete: boolean;
}

/** A capture of one of the shares. */
export interface MomentCapture {
  id: string;
  status: 'queued' | 'waiting' | 'running' | 'ready' | 'failed' | 'cancelled';
  clip_id: string;
  events_url: string;
  capture_url: string;
  playlist_url: string;
  buffer_id: string;
  sharer: string;
}

/** A share that is not captured, and the problem that a capture of it alone would meet. */
export interface MomentRefusal {
  buffer_id: string;
  sharer: string;
  type: string;
  title: string;
  detail: string;
}

/** Which part of all shares of a room to capture; `last` counts back from the call, for each. */
export interface MomentRequest {
  last?: number | string | null;
  start?: string | null;
  end?: string | null;
  post_roll?: number | string;
  tail?: Tail;
  cut?: Cut;
  gaps?: Gaps;
  title?: string;
  room_sid?: string | null;
}

/** A link as oEmbed 1.0 describes it: a `video` where others may embed it, else a `link`. */
export interface OembedView {
  type: 'video' | 'link';
  version?: '1.0';
  title: string;
  provider_name: string;
  provider_url: string;
  author_name?: string | null;
  thumbnail_url?: string | null;
  thumbnail_width?: number | null;
  thumbnail_height?: number | null;
  html?: string | null;
  width?: number | null;
  height?: number | null;
}

/** Hours. One in which no capture ended is left out. */
export interface OutcomesPage {
  items: Array<OutcomesView>;
}

/** What became of the captures that ended in an hour. */
export interface OutcomesView {
  at: string;
  ready: number;
  cancelled: number;
  failed: number;
  failures: Array<FailureView>;
}

/** Who is to get a test event. */
export interface PingRequest {
  target?: string | null;
}

/** How far a capture is. */
export interface Progress {
  status: 'queued' | 'waiting' | 'running' | 'ready' | 'failed' | 'cancelled';
  stage: CaptureStage;
  progress: number;
  reason: FailureReason | null;
  detail: string;
  clip: ClipView | null;
}

/** A capture that will be made. */
export interface Promised {
  id: string;
  status: 'queued' | 'waiting' | 'running' | 'ready' | 'failed' | 'cancelled';
  clip_id: string;
  events_url: string;
  capture_url: string;
}

/** What a user's quota shall be. */
export interface QuotaRequest {
  quota_bytes: number | null;
}

/** A user's quota, and what of it is used. */
export interface QuotaView {
  quota_bytes: number;
  own: boolean;
  used_bytes: number;
  reserved_bytes: number;
}

/** Whether everything is there. */
export interface Ready {
  status: 'ready' | 'not ready';
  checks: Record<string, string>;
}

/** A format that a clip can be had in, too. */
export type RenditionFormat = 'gif' | 'webp' | 'mp4-720p' | 'mp4-side-by-side';

/** What there is of a clip in other formats. */
export interface RenditionList {
  items: Array<RenditionView>;
}

/** What is to be made of the clip; moments of its play time, as numbers or texts as `1m30s`. */
export interface RenditionRequest {
  format: RenditionFormat;
  start?: number | string;
  end?: number | string | null;
}

/** A clip, or a part of it, in another format. */
export interface RenditionView {
  id: string;
  clip_id: string;
  format: RenditionFormat;
  start_seconds: number;
  end_seconds: number;
  beside: Array<string>;
  status: 'queued' | 'waiting' | 'running' | 'ready' | 'failed' | 'cancelled';
  progress: number;
  reason: FailureReason | null;
  detail: string;
  size_bytes: number | null;
  file_url: string | null;
  download_url: string | null;
  accepted_at: string;
}

/** A window of time. */
export interface Requested {
  start: string;
  end: string;
}

/** What somebody is in a community. */
export type Role = 'member' | 'moderator' | 'admin';

/** The shares of a room that the caller may see, on one wall clock. */
export interface RoomTimeline {
  room: string;
  room_sid: string;
  now: string;
  items: Array<BufferTimeline>;
  complete: boolean;
}

/** What was so at an instant. */
export interface SampleView {
  at: string;
  free_disk_bytes: number;
  buffered_bytes: number;
  clips_bytes: number;
  media_lag_seconds: number;
  index_lag_seconds: number | null;
  active_sessions: number;
}

/** A token with the same rights, of this service only, and whose they are. */
export interface SessionView {
  expires_at: string;
  identity: string;
  room: string | null;
  room_admin: boolean;
  instance_admin: boolean;
  communities: Array<StandingView>;
  limits: LimitsView;
  token: string;
  renewable_until: string;
}

/** Which channel of the chat a clip is posted in, and with which words. */
export interface ShareRequest {
  channel_id: string;
  text?: string | null;
}

/** The event `clip_shared` that is on its way. */
export interface ShareView {
  event_id: string;
  channel_id: string;
  message: MessageView;
}

/** What a sharer may do with opened clips of their screen that others have made. Each includes those before it. A room's admin may do the same with clips of their room. */
export type SharerRights = 'see' | 'close' | 'delete';

/** The buffers that there are. */
export interface Snapshot {
  items: Array<BufferView>;
}

/** The first server-sent event of a stream of buffers. */
export interface SnapshotEvent {
  event: 'snapshot';
  data: string;
}

/** A stretch of sound, in equal parts. */
export interface SoundStretch {
  start: string;
  end: string;
  levels: Array<number>;
}

/** A stretch of media without a hole. */
export interface SpanView {
  start: string;
  end: string;
  session_id: string;
  audio: boolean;
  width: number;
  height: number;
  encoding: string | null;
}

/** What the caller is in a community. */
export interface StandingView {
  id: string;
  role: Role;
  grants: Array<Action>;
  manages: boolean;
  administrates: boolean;
}

/** Why the recording shall end. */
export interface StopRequest {
  reason?: string;
}

/** Whether a window reaches to the moment of the call, and waits for that moment's media. */
export type Tail = 'include' | 'skip';

/** Which part of the clip, in seconds of its play time; numbers, or texts such as `1m30s`. */
export interface TrimRequest {
  start?: number | string;
  end?: number | string | null;
  cut?: 'precise' | 'exact';
  title?: string | null;
  in_place?: boolean;
}

/** A page of users. */
export interface UserPage {
  items: Array<UserView>;
  next: string | null;
}

/** A user and their quota. */
export interface UserView {
  identity: string;
  quota_bytes: number;
  own: boolean;
  used_bytes: number;
  reserved_bytes: number;
}

/** Who may see a clip besides its owner. */
export type Visibility = 'private' | 'room' | 'link';

/** How loud a share's sound was. */
export interface WaveformView {
  stretches: Array<SoundStretch>;
}

/** Why a share is not recorded: stored in `Buffer.why` and told by `GET /buffers`. */
export type Why = 'opted-out' | 'stopped-by-sharer' | 'stopped-by-admin' | 'encrypted' | 'codec' | 'no-worker' | 'user-limit' | 'limit' | 'too-often' | 'quota' | 'disk' | 'not-permitted' | 'community-off' | 'egress-failed' | 'starting';
