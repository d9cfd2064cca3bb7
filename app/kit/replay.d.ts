/** Instant replay in a LiveKit app: the types of replay.js. README.md tells how it is used. */

/** What is needed of a `Room` of livekit-client: tested with its version 2.23.0. */
export interface RoomLike {
  readonly name: string;
  readonly state: string;
  readonly localParticipant: ParticipantLike & {
    setAttributes(attributes: Record<string, string>): Promise<void>;
  };
  getParticipantByIdentity(identity: string): ParticipantLike | undefined;
  on(event: any, listener: (...told: any[]) => void): unknown;
  off(event: any, listener: (...told: any[]) => void): unknown;
}

export interface ParticipantLike {
  readonly identity: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly isScreenShareEnabled?: boolean;
}

export interface AttachOptions {
  /** The LiveKit access token of who is in the room. A function is called at first, and again when the service rejects
   * what it gave; a text is good until it expires. */
  token: string | (() => string | Promise<string>);
  /** Where the service is, without `/v1`. Default: where this module was loaded from. */
  url?: string;
}

/** Begins to follow the shares of a room, connected or not yet. */
export function attach(room: RoomLike, options: AttachOptions): Replay;

/** What went wrong. `type` is stable: one of the service's, or `unreachable`, `no-token`, `no-share` (to be
 * marked), `aborted`, `unplayable`, `unknown`, `cancelled`, `gone`, or why a capture has failed. */
export interface Problem {
  type: string;
  title: string;
  /** Of HTTP; 0 where nothing was answered. */
  status: number;
  /** What was wrong, in words, and what to do. */
  detail: string;
  [fact: string]: unknown;
}

/** Nothing of a Replay throws: what went wrong is a value. */
export type Result<T> = ({ ok: true } & T) | { ok: false; error: Problem };

export type Connection = 'closed' | 'connecting' | 'open' | 'lost' | 'refused';

export type BadgeState = 'recording' | 'starting' | 'off' | 'opted-out' | 'idle';

/** What becomes of somebody's screen share. */
export interface Badge {
  /** `starting`: it is to be recorded, and nothing has come yet, or for a while; `off`: it is shared and not recorded,
   * see `why` and `detail`; `idle`: nothing is shared. Of others whose share one may not see only `recording`, `off`,
   * `opted-out` and `idle` are known. */
  state: BadgeState;
  why: Why | null;
  /** More about it, in words: of the service, or of the connection to it; may be empty. */
  detail: string;
  /** The share, if one may see it. */
  buffer: BufferView | null;
}

export interface ClipOptions {
  /** How many seconds before now, or a text such as `90s`, `1m30s`. Default: 30. */
  last?: number | string;
  title?: string;
  /** Whose share; default: one's own, or that of the only one whose share one sees, going on or just ended. */
  sharer?: string;
  /** Whether anyone with the link may watch it; default: yes. */
  link?: boolean;
  onProgress?: (progress: Progress) => void;
  /** Ends the waiting. A capture that was accepted goes on. */
  signal?: AbortSignal;
}

export interface MarkOptions {
  /** Whose share; default: one's own, or that of the only one whose share one sees, going on or just ended. */
  sharer?: string;
}

/** A clip announced to the room or to whoever asked for it. */
export interface HeardClip {
  event: 'capture_ready' | 'clip_shared';
  clip: ClipView;
}

export interface Replay {
  readonly room: RoomLike;
  /** Whether one's own attribute says `off`. */
  readonly optedOut: boolean;
  /** Of the stream that tells what is recorded; `lost` and `refused` are tried again by themselves. */
  readonly connection: Connection;
  /** Why the connection is lost or refused. */
  readonly problem: Problem | null;
  /** Of somebody in the room; default: of oneself. */
  badge(identity?: string): Badge;
  /** Keeps the last seconds of a share: resolves when the clip is there, and the page that its link leads to.
   * Where the clip was made and the link was refused, the clip stands beside the error. Ends after some minutes in
   * which the service is away, and by `close`. */
  clip(
    options?: ClipOptions,
  ): Promise<{ ok: true; clip: ClipView; link: string | null } | { ok: false; error: Problem; clip?: ClipView }>;
  /** Marks this moment of a share. */
  mark(label?: string, options?: MarkOptions): Promise<Result<{ marker: MarkerView }>>;
  /** Your screen is no longer recorded, and what was buffered is deleted; `false` takes it back. */
  optOut(out?: boolean): Promise<Result<{}>>;
  getClip(id: string): Promise<Result<{ clip: ClipView }>>;
  /** Calls back for each clip that one may read and hears of; the answer ends that. */
  onClip(handler: (heard: HeardClip) => void): () => void;
  /** Calls back whenever a badge or the connection may have changed; the answer ends that. */
  onChange(handler: (replay: Replay) => void): () => void;
  /** Stops listening, and waiting for clips. The room stays connected. */
  close(): void;
}

/** What the elements say. Set another language before the first is shown. */
export const texts: Record<BadgeState | 'clip' | 'saving' | 'saved' | 'kept', string>;

/** An element belongs to the replay that was attached last, unless it is given one. */
export interface ReplayElement extends HTMLElement {
  replay: Replay | null;
}

/** `<replay-clip-button last="30" label hotkey="alt+c" clip-title sharer private>`. A button within it takes the place of
 * its own. Tells `replay-progress`, `replay-clip` and `replay-error`. */
export interface ReplayClipButton extends ReplayElement {
  clip(): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    'replay-clip-button': ReplayClipButton;
    /** `<replay-badge identity>`; its attribute `state` is a BadgeState. */
    'replay-badge': ReplayElement;
    /** `<replay-clip src>`, of a link or a film; or `<replay-clip clip-id>`. */
    'replay-clip': ReplayElement;
  }
  interface GlobalEventHandlersEventMap {
    'replay-progress': CustomEvent<Progress>;
    'replay-clip': CustomEvent<{ clip: ClipView; link: string | null }>;
    /** `clip`: it was made, and its link was refused. */
    'replay-error': CustomEvent<Problem & { clip?: ClipView }>;
  }
}

// schema: the rest is written by `python -m tests.console_types`, from the description of the API.

/** What a share is doing. */
export type BufferState = 'waiting' | 'starting' | 'recording' | 'lagging' | 'stalled' | 'ended' | 'refused';

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

/** What is done for a capture right now, in words that its caller is shown. */
export type CaptureStage = '' | 'waiting for media' | 'copying' | 'encoding' | 'finishing' | 'waiting for storage';

/** A moment that somebody had marked when the clip was made. */
export interface ChapterView {
  seconds: number;
  label: string;
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

/** Where a clip begins and ends. */
export type Cut = 'precise' | 'segment' | 'exact';

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

/** Why a share is recorded in a cheaper encoding than ENCODING. */
export type EncodingWhy = 'egress-behind' | 'egress-overloaded' | 'stepped-before';

/** Why a capture has failed. Each is the slug of an error, which says it in words. */
export type FailureReason = 'ffmpeg-failed' | 'ffmpeg-missing' | 'ffmpeg-stalled' | 'gave-up' | 'media-deleted' | 'nothing-recorded' | 'segment-changed' | 'sizes-differ' | 'storage-full' | 'verification-failed';

/** Why a part of a clip has no new picture. */
export type GapWhy = 'no-picture' | 'lost' | 'not-recorded' | 'not-present';

/** What the page of a clip's link tells besides its title, if the owner lets it. */
export type LinkFact = 'who' | 'when' | 'chapters';

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

/** How far a capture is. */
export interface Progress {
  status: 'queued' | 'waiting' | 'running' | 'ready' | 'failed' | 'cancelled';
  stage: CaptureStage;
  progress: number;
  reason: FailureReason | null;
  detail: string;
  clip: ClipView | null;
}

/** A window of time. */
export interface Requested {
  start: string;
  end: string;
}

/** Who may see a clip besides its owner. */
export type Visibility = 'private' | 'room' | 'link';

/** Why a share is not recorded: stored in `Buffer.why` and told by `GET /buffers`. */
export type Why = 'opted-out' | 'stopped-by-sharer' | 'stopped-by-admin' | 'encrypted' | 'codec' | 'no-worker' | 'user-limit' | 'limit' | 'too-often' | 'quota' | 'disk' | 'not-permitted' | 'community-off' | 'egress-failed' | 'starting';
