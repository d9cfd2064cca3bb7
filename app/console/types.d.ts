// The service's JSON, from the description of its API: `python -m tests.console_types` writes this.

/** A capture that will be made. Location: where to ask for it. */
export interface Accepted {
  id: string;
  status: string;
  clip_id: string;
  playlist: string;
  Location: string;
}

/** Whether everybody buffers and captures their own shares, or who has a role for it. */
export type AccessMode = 'open' | 'rbac';

/** What somebody may do in a community. */
export type Action = 'enable_replay_buffer' | 'capture_replay' | 'manage_community_replay_config';

/** The process answers. */
export interface Alive {
  status: string;
}

/** Names of rooms, in their order. */
export interface AssignedPage {
  items: Array<string>;
  next: string | null;
}

/** A name of rooms, and the community that they are assigned to. */
export interface AssignedView {
  room: string;
  community: string;
}

/** Entries, newest first. */
export interface AuditPage {
  items: Array<AuditView>;
  next: string | null;
}

/** Who did what to what, and when. */
export interface AuditView {
  id: string;
  at: string;
  identity: string;
  action: string;
  subject: string;
  room: string;
  data: Record<string, unknown>;
}

/** A share with its timeline, and what was marked on it. */
export interface BufferDetail {
  id: string;
  room: string;
  identity: string;
  state: string;
  why: string | null;
  why_detail: string;
  retry_at: string | null;
  since: string;
  ended_at: string | null;
  oldest: string | null;
  newest: string | null;
  seconds: number;
  audio: boolean;
  sessions: Array<string>;
  clock: string;
  playlist_url: string | null;
  replay_url: string | null;
  poster: string | null;
  thumbnails: string | null;
  spans: Array<SpanView>;
  gaps: Array<GapView>;
  markers: Array<MarkerView>;
}

/** Buffers, newest share first. `next` asks for the following ones; null at the end. */
export interface BufferPage {
  items: Array<BufferView>;
  next: string | null;
}

/** A share and what is kept of it. Its URLs need no token, for a while. */
export interface BufferView {
  id: string;
  room: string;
  identity: string;
  state: string;
  why: string | null;
  why_detail: string;
  retry_at: string | null;
  since: string;
  ended_at: string | null;
  oldest: string | null;
  newest: string | null;
  seconds: number;
  audio: boolean;
  sessions: Array<string>;
  clock: string;
  playlist_url: string | null;
  replay_url: string | null;
  poster: string | null;
  thumbnails: string | null;
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

/** Whose shares one may capture in a community, besides one's own. */
export type CapturePolicy = 'self' | 'room' | 'role';

/** What POST /captures takes. Lengths are seconds, or texts such as `90s` and `1m30s`. The share is `buffer`, or `room` with `identity` (default: the caller) and `share`, the sid of its video track (default: the newest). The window is `last`, or `start` and `end`. */
export interface CaptureRequest {
  room?: string | null;
  identity?: string | null;
  share?: string | null;
  buffer?: string | null;
  last?: number | null;
  start?: string | null;
  end?: string | null;
  post_roll?: number;
  tail?: Tail;
  cut?: Cut;
  gaps?: Gaps;
  title?: string;
}

/** A capture. */
export interface CaptureView {
  status: string;
  stage: string;
  progress: number;
  reason: string | null;
  detail: string;
  clip: ClipView | null;
  id: string;
  clip_id: string;
  buffer: string;
  room: string;
  identity: string;
  title: string;
  cut: string;
  requested: Requested;
  window: Requested;
  notes: Array<string>;
  playlist: string;
  accepted_at: string;
  finished_at: string | null;
}

/** What no community's own limits may exceed. */
export interface CeilingsView {
  max_concurrent: number;
  max_concurrent_per_user: number;
  retention_minutes: number;
}

/** What one check found. */
export interface CheckView {
  name: string;
  ok: boolean;
  level: string;
  detail: string;
  advice: string;
}

/** What all checks found. */
export interface ChecksView {
  at: string;
  ok: boolean;
  items: Array<CheckView>;
}

/** What PATCH may change. */
export interface ClipChange {
  title?: string | null;
  visibility?: Visibility | null;
  link_days?: number | null;
  link_tells?: Array<LinkFact> | null;
  share_hidden_head?: boolean;
  keep?: boolean | null;
}

/** A stretch of the window without picture: where, why, and whether the clip holds its time. */
export interface ClipGapView {
  start: string;
  end: string;
  why: string;
  kept: boolean;
}

/** Clips, newest first. `next` asks for the following ones; null at the end. */
export interface ClipPage {
  items: Array<ClipView>;
  next: string | null;
}

/** A clip. Lengths are seconds. `url` reads its bytes without a token, for a while. */
export interface ClipView {
  id: string;
  title: string;
  owner: string;
  shared_by: string;
  buffer: string;
  room: string;
  requested: Requested;
  delivered: Delivered;
  gaps: Array<ClipGapView>;
  notes: Array<string>;
  tail_lag: number;
  hidden_head_seconds: number;
  preparing: boolean;
  audio: boolean;
  width: number;
  height: number;
  cut: string;
  clock: string;
  visibility: string;
  link_url: string | null;
  page_url: string | null;
  link_expires_at: string | null;
  link_tells: Array<string>;
  views: number | null;
  keep: boolean;
  size: number;
  checksum: string | null;
  file_id: string;
  url: string;
  poster: string;
  thumbnails: string;
  created_at: string;
  expires_at: string | null;
}

/** Communities in the order of their names. */
export interface CommunityPage {
  items: Array<CommunityView>;
  next: string | null;
}

/** A community, the rules in force there, and how much goes on in it. */
export interface CommunityView {
  id: string;
  enabled: boolean;
  max_concurrent: number;
  max_concurrent_per_user: number;
  access: string;
  capture_policy: string;
  retention_minutes: number;
  active: number;
  members: number;
}

/** A community's own rules. What is left out stays as it is; null: the instance's setting. */
export interface ConfigRequest {
  enabled?: boolean;
  max_concurrent?: number | null;
  max_concurrent_per_user?: number | null;
  access?: AccessMode | null;
  capture_policy?: CapturePolicy | null;
  retention_minutes?: number | null;
}

/** The rules in force in a community. */
export interface ConfigView {
  community: string;
  enabled: boolean;
  max_concurrent: number;
  max_concurrent_per_user: number;
  access: string;
  capture_policy: string;
  retention_minutes: number;
  own: Array<string>;
  ceilings: CeilingsView;
}

/** Where a clip begins and ends. */
export type Cut = 'precise' | 'segment' | 'exact';

/** What the clip shows: from the first picture to the end of the last one. */
export interface Delivered {
  start: string;
  end: string;
  duration: number;
}

/** Events, in the order in which they are, or were last, to be tried. */
export interface EventPage {
  items: Array<EventView>;
  next: string | null;
}

/** One of our events on its way, or given up. */
export interface EventView {
  id: string;
  event: string;
  room: string;
  number: number;
  state: string;
  attempts: number;
  last_error: string;
  created_at: string;
  next_try_at: string;
}

/** A stretch of which nothing can be shown, and a slug that tells why. */
export interface GapView {
  start: string;
  end: string;
  why: string;
}

/** What becomes of pauses between recordings. */
export type Gaps = 'skip' | 'keep';

/** Samples, oldest first. Where nobody took one, none stands. */
export interface HistoryView {
  step_seconds: number;
  items: Array<SampleView>;
}

/** What holds in this instance, where a community has no rules of its own. */
export interface LimitsView {
  max_capture_seconds: number;
  retention_seconds: number;
  marker_minutes: number;
  clip_days: number | null;
  capture_policy: string;
  access: string;
  events: boolean;
  title_length: number;
  text_length: number;
  post_roll_seconds: number;
  restore_seconds: number;
}

/** What the page of a clip's link tells besides its title, if the owner lets it. */
export type LinkFact = 'who' | 'when';

/** Somebody's role and single grants. */
export interface ListedMember {
  identity: string;
  role: string;
  grants: Array<string>;
}

/** Markers, in order of their moments. */
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
  by: string;
  created_at: string;
  kept_until: string;
}

/** Members in the order of their names. */
export interface MemberPage {
  items: Array<ListedMember>;
  next: string | null;
}

/** The role and the grants that somebody shall have. */
export interface MemberRequest {
  role?: Role;
  grants?: Array<Action>;
}

/** Somebody's role and single grants in a community. */
export interface MemberView {
  community: string;
  identity: string;
  role: string;
  grants: Array<string>;
}

/** What the chat is asked to post. */
export interface MessageView {
  text: string;
  attachments: Array<string>;
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

/** A problem document (RFC 9457); `type` is a stable slug. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
}

/** A user's quota. null: QUOTA_BYTES again. */
export interface QuotaRequest {
  quota_bytes: number | null;
}

/** Bytes: what is allowed, what clips take, what captures on their way hold. */
export interface QuotaView {
  quota_bytes: number;
  used_bytes: number;
  reserved_bytes: number;
}

/** `status` is `ready` if every check is `ok`; another word says what is wrong. */
export interface Ready {
  status: string;
  checks: Record<string, string>;
}

/** The window that was asked for. */
export interface Requested {
  start: string;
  end: string;
}

/** What somebody is in a community. */
export type Role = 'member' | 'moderator' | 'admin';

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
  event: string;
  channel_id: string;
  message: MessageView;
}

/** A stretch of media without a hole. */
export interface SpanView {
  start: string;
  end: string;
  session: string;
  audio: boolean;
  width: number;
  height: number;
}

/** What the caller is in a community. */
export interface StandingView {
  id: string;
  role: string;
  grants: Array<string>;
  manages: boolean;
  administrates: boolean;
}

/** Why the recording shall end. */
export interface StopRequest {
  reason?: string;
}

/** Whether a window reaches to the moment of the call, and waits for that moment's media. */
export type Tail = 'include' | 'skip';

/** Users in the order of their names. */
export interface UserPage {
  items: Array<UserView>;
  next: string | null;
}

/** A user, and in bytes what is allowed, what clips take, what captures on their way hold. */
export interface UserView {
  identity: string;
  quota_bytes: number;
  used_bytes: number;
  reserved_bytes: number;
}

/** Who may see a clip besides its owner. */
export type Visibility = 'private' | 'room' | 'link';
