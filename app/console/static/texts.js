// Every text of the page, in one place, in English; german.js has the same in German. A text that
// needs facts is a function of them.

import { left } from './facts.js';
import { isGerman, language, plurals } from './language.js';
import { bytes, length } from './times.js';

/** @import { Facts, Saying } from './facts.js' */

const plural = plurals('en');

export const english = {
  shell: {
    brand: 'Replay',
    skip: 'Skip to content',
    buffers: 'Live',
    clips: 'Clips',
    admin: 'Admin',
    dismiss: 'Dismiss',
    cancel: 'Cancel',
    leave: 'Sign out',
    leaveEverywhere: {
      label: 'Sign out everywhere',
      explain:
        'Signs you out on every device. Links to pictures and videos that you opened stop working, ' +
        'too. This takes up to 5 seconds.',
    },
    lost: 'No connection. Trying again…',
    unknown: 'Page not found',
    failed: 'Something went wrong',
    retry: 'Try again',
    nav: 'Main',
  },
  entry: {
    title: 'Sign in',
    explain:
      'Replay keeps the last minutes of shared screens, so that you can save the moment after it happened. ' +
      'Open it from your app, or paste an access token.',
    operators: 'Running this server? This command prints a token:',
    label: 'Access token',
    submit: 'Sign in',
    expired: 'Your session has expired. Sign in again.',
    left: 'You’re signed out.',
    /** @type {Saying<[string]>} */
    brought: (identity) => `This link signed you in as “${identity}”.`,
    swap: {
      title: 'Switch accounts?',
      /** @type {Saying<[string, string]>} */
      explain: (mine, theirs) =>
        `You’re signed in as “${mine}”. This link signs you in as “${theirs}”: what you capture and save ` +
        'from then on is theirs. If you didn’t expect that, cancel.',
      /** @type {Saying<[string, string]>} */
      beside: (mine, theirs) =>
        `In another tab you’re signed in as “${mine}”. This link signs you in as “${theirs}”: what you capture ` +
        'and save in this tab is theirs. If you didn’t expect that, cancel.',
      /** @type {Saying<[string]>} */
      submit: (theirs) => `Continue as ${theirs}`,
    },
    /** @type {Saying<[string]>} */
    ends: (at) => `Your session ends at ${at}.`,
    again: 'Sign in again',
    goOn: 'Paste a new access token. Nothing you typed is lost.',
  },
  keyboard: {
    title: 'Keyboard shortcuts',
    on: 'Keyboard shortcuts on',
    here: 'On this page',
    everywhere: 'Everywhere',
    close: 'Close',
    keys: [
      ['?', 'Show keyboard shortcuts'],
      ['/', 'Search'],
      ['Tab', 'Next control; with Shift, the previous'],
      ['Esc', 'Close dialog'],
    ],
  },
  problems: /** @satisfies {Record<string, string | Saying<[Facts]>>} */ ({
    unreachable: 'Can’t reach the server. Check your connection and try again.',
    unexpected: 'Something went wrong. Reload the page and try again.',
    'not-found': 'Not found, or not shared with you.',
    gone: 'This part has been deleted. Select something newer.',
    conflict: (problem) => `Not possible any more: ${problem.detail}.`,
    invalid: (problem) => `Invalid: ${problem.detail}.`,
    'not-permitted': (problem) => `Not allowed: ${problem.detail}.`,
    'buffer-empty': (problem) =>
      `Nothing has been recorded yet.${problem.retry_after ? ` Try again in ${problem.retry_after} s.` : ''}`,
    'too-many-markers': 'You, or this share, can have no more markers. Delete some first.',
    'window-too-long': (problem) => `Clips can be up to ${length(problem.max_seconds)} long. Select less.`,
    'too-many-captures': (problem) =>
      `You already have ${problem.limit} captures running. ` +
      `Cancel one, or try again in ${Math.ceil(problem.retry_after ?? 0)} s.`,
    'quota-exceeded': (problem) =>
      `Not enough space: the clip needs about ${bytes(problem.needed_bytes)}, and ${bytes(left(problem))} of your ` +
      `${bytes(problem.quota_bytes)} are left. Delete clips, or select less.`,
    'storage-full': 'The server’s disk is full. Tell your admin.',
    'no-public-url': 'Links aren’t set up. Ask your admin to set PUBLIC_URL.',
    'sizes-differ': 'The screen changed size in this part. Choose the exact cut, or select less.',
    unauthorized: 'Your session has expired. Sign in again.',
    'token-refused': ({ detail }) => `That token didn’t work: ${detail}. Get a new one from your app or your admin.`,
    preparing: 'The copy for others is being prepared. Try again in a moment.',
    unavailable: 'The server is busy. Try again in a few seconds.',
    'too-many-requests': 'Too many requests, perhaps from other tabs. Close some and try again.',
  }),
  buffers: {
    title: 'Live',
    loading: 'Looking for live shares…',
    nothing: 'Nobody is sharing right now',
    begin: 'Share a screen in any room of this LiveKit server. It appears here within seconds.',
    /** @type {Saying<[string]>} */
    beginRoom: (room) => `Share your screen in “${room}”. It appears here within seconds.`,
    beginOwn: 'You can replay only your own shares here.',
    checklist: {
      title: 'Set up Replay',
      steps: {
        livekit: 'LiveKit is reachable',
        webhook: 'LiveKit’s webhook arrives',
        egress: 'An egress worker is running',
        share: 'Someone shares a screen',
      },
      done: 'done',
      open: 'to do',
      shareDetail: 'Share a screen in any room. It appears here within seconds.',
      config: 'For livekit.yaml',
      copy: 'Copy lines',
      copied: 'Lines copied.',
    },
    nothingFits: 'No shares match.',
    clear: 'Show all',
    search: 'Filter by person or room',
    chips: 'Filter by state',
    groups: { all: 'All', live: 'Recording', attention: 'Needs attention', ended: 'Ended' },
    /** @type {Saying<[number, number]>} */
    shown: (shown, all) => `${shown} of ${all} shares`,
    /** @type {Saying<[string, string]>} */
    came: (who, room) => `${who} started sharing in ${room}.`,
    /** @type {Saying<[string, string]>} */
    went: (who, state) => `${who}: ${state}.`,
    you: 'you',
    sound: 'With sound',
    silent: 'No sound',
    /** @type {Saying<[string]>} */
    amount: (seconds) => `Last ${seconds} available`,
    newest: {
      /** @type {Saying<[number]>} */
      seconds: (count) => `${count} s ago`,
      /** @type {Saying<[number]>} */
      minutes: (count) => `${count} min ago`,
      /** @type {Saying<[number]>} */
      hours: (count) => `${count} h ago`,
      name: 'Newest picture',
    },
    /** @type {Saying<[string]>} */
    stays: (until) => `until ${until}`,
    fades: 'About to be deleted',
    /** @type {Saying<[string]>} */
    over: (at) => `Ended ${at}`,
    /** @type {Saying<[string]>} */
    retry: (at) => `Next try ${at}.`,
    /** @type {Saying<[string]>} */
    reason: (reason) => `Reason: “${reason}”`,
    hidden: 'This is being recorded, but isn’t shared with you.',
    noPicture: 'No picture yet',
    keep: 'Save last 30 s',
    /** @type {Saying<[string]>} */
    keepOf: (who) => `Save last 30 s of ${who}`,
    /** @type {Saying<[string, string]>} */
    keeping: (who, long) => `Saving the last ${long} of ${who}…`,
    /** @type {Saying<[string, string]>} */
    kept: (who, long) => `Saved the last ${long} of ${who}.`,
    /** @type {Saying<[string, string, string]>} */
    lost: (who, long, why) => `Couldn’t save the last ${long} of ${who}: ${why}`,
    open: 'Open',
    stop: 'Stop recording',
    /** @type {Saying<[string]>} */
    stopOf: (who) => `Stop recording ${who}`,
    stopAgain: 'Don’t record again',
    /** @type {Saying<[string]>} */
    stopAgainOf: (who) => `Don’t record ${who} again, if the share comes back`,
    /** @type {Saying<[string]>} */
    stopTitle: (who) => `Stop recording ${who}?`,
    stopExplain: 'Nothing more is recorded until an admin resumes it. What was recorded stays until it expires.',
    stopReason: 'Reason (optional, shown to the sharer)',
    stopOwn: 'Stop recording your screen?',
    stopOwnExplain: 'You keep sharing. Nothing more is recorded until you resume.',
    stopErase: 'Also delete what was recorded',
    /** @type {Saying<[string]>} */
    stopped: (who) => `Stopped recording ${who}.`,
    stoppedOwn: 'Your screen is no longer recorded.',
    erase: 'Delete…',
    /** @type {Saying<[string]>} */
    eraseOf: (who) => `Delete the recording of ${who}`,
    /** @type {Saying<[string]>} */
    eraseTitle: (who) => `Delete the recording of ${who}?`,
    eraseExplain: 'This can’t be undone. Recording continues, and clips already made are kept.',
    eraseLast: 'Delete the last minute',
    eraseAll: 'Delete everything',
    /** @type {Saying<[string]>} */
    erased: (who) => `Deleted from ${who}’s recording.`,
    resume: 'Resume',
    /** @type {Saying<[string]>} */
    resumeOf: (who) => `Resume recording ${who}`,
    /** @type {Saying<[string]>} */
    resumed: (who) => `Recording ${who} again within seconds.`,
    resumedOwn: 'Recording your screen again within seconds, unless an admin has stopped it, too.',
    /** @type {Saying<[string]>} */
    stillStopped: (who) => `${who} is still not recorded: someone else has stopped it, too.`,
    keys: [['K', 'Save last 30 s of the focused share']],
    states: {
      waiting: 'Waiting',
      starting: 'Starting',
      recording: 'Recording',
      lagging: 'Running behind',
      stalled: 'No picture',
      ended: 'Ended',
      refused: 'Not recorded',
    },
    // Why nothing, or nothing more, is recorded: what it means, then what to do.
    why: {
      'opted-out': {
        says: 'The sharer opted out of being recorded.',
        todo: 'Starts once they turn off replay=off in their app.',
      },
      'stopped-by-sharer': {
        says: 'The sharer stopped the recording.',
        todo: 'Only they can resume it.',
      },
      'stopped-by-admin': {
        says: 'An admin stopped the recording.',
        todo: 'An admin can resume it.',
      },
      encrypted: {
        says: 'The share is end-to-end encrypted, so it can’t be recorded.',
        todo: 'Share without encryption to record it.',
      },
      codec: {
        /** @type {Saying<[string]>} */
        says: (detail) => `The recorder can’t read the share’s video${detail ? ` (${detail.toUpperCase()})` : ''}.`,
        todo: 'Set the app’s screen share codec to VP8, VP9 or H.264, and share again.',
      },
      'no-worker': {
        says: 'Waiting for a free recorder.',
        todo: 'Starts as soon as one is free. If this lasts, more egress workers are needed.',
      },
      limit: {
        /** @type {Saying<[string]>} */
        says: (detail) => (/^\d+$/.test(detail) ? `The limit of ${detail} shares at once is reached.` : 'The limit of shares at once is reached.'),
        todo: 'Starts when another share ends.',
      },
      'user-limit': {
        /** @type {Saying<[string]>} */
        says: (detail) => (/^\d+$/.test(detail) ? `The limit of ${detail} shares per user is reached.` : 'The limit of shares per user is reached.'),
        todo: 'Starts when they end another of their shares.',
      },
      'too-often': {
        /** @type {Saying<[string]>} */
        says: (detail) => (/^\d+$/.test(detail) ? `Shares began too often: ${detail} per user are recorded in an hour.` : 'Shares began too often in the last hour.'),
        todo: 'Starts by itself, most often within a minute.',
      },
      quota: {
        says: 'The sharer has no space left for clips.',
        todo: 'Starts once they delete clips or get a larger quota.',
      },
      disk: {
        says: 'The server’s disk is nearly full.',
        todo: 'Starts once there is space. An admin should check the disk.',
      },
      'not-permitted': {
        says: 'The sharer isn’t allowed to be recorded here.',
        todo: 'An admin of the community can allow it.',
      },
      'community-off': {
        says: 'Recording is off in this community.',
        todo: 'An admin of the community can turn it on.',
      },
      'egress-failed': {
        says: 'The recorder failed.',
        todo: 'Restarting in a moment.',
      },
      starting: {
        says: 'The recorder is starting.',
        todo: 'The first picture arrives within seconds.',
      },
    },
    stoppedByYou: {
      says: 'You stopped the recording.',
      todo: 'Only you can resume it.',
    },
    lagging: {
      says: 'Running behind.',
      todo: 'Nothing is lost.',
    },
    stalled: {
      says: 'No new picture.',
      todo: 'Recording resumes when pictures arrive. If not, share again.',
    },
    // Why a share is recorded in a cheaper encoding, such as 720p15.
    encoding: {
      /** @type {Saying<[string]>} */
      'egress-behind': (name) => `Now in ${name}: the recorder fell behind.`,
      /** @type {Saying<[string]>} */
      'egress-overloaded': (name) => `Now in ${name}: the recorder was overloaded.`,
      /** @type {Saying<[string]>} */
      'stepped-before': (name) => `In ${name}: the recorder was overloaded within the last hour.`,
    },
    // Why nothing can be shown of a time in between.
    gaps: {
      lost: 'The recorder lost this part',
      missing: 'The file of this part is missing',
      deleted: 'This part was deleted',
      'egress-failed': 'The recorder failed here and restarted',
      'egress-ended': 'Nothing was recorded here',
      expired: 'Expired: only parts around markers are still available',
      'not-present': 'You weren’t in the room then',
      'not-shared': 'Nothing was shared here',
      refused: 'Recording was stopped or not permitted here',
      codec: 'This part can’t be played',
      corrupt: 'This part is damaged',
      empty: 'The recorder wrote an empty file here',
      'not-a-file': 'This part is not a file on the disk',
      'no-keyframe': 'This part starts without a full picture',
      'no-video': 'This part has no picture',
      timestamps: 'This part has invalid times',
      'too-large': 'This part is too large to be a recording',
      truncated: 'This part is cut off',
      unreadable: 'This part can’t be read',
    },
  },
  timeline: {
    /** @type {Saying<[string, string]>} */
    pageTitle: (identity, room) => `${identity} in ${room}`,
    title: 'Timeline',
    back: 'Live',
    empty: 'Nothing recorded yet. The timeline appears with the first seconds.',
    approximate: 'Times may be up to 2 s off.',
    notThere: {
      title: 'This share has ended or isn’t shared with you',
      explain: 'Shares are kept for a few minutes only. What was saved from them is under Clips.',
      back: 'Back to Live',
    },
    track: {
      /** @type {Saying<[string]>} */
      newer: (stretch) => `${stretch} newer`,
      toNewest: 'Go to the newest moment',
      now: 'now',
      label: 'Timeline',
      start: 'Start of selection',
      end: 'End of selection',
      forgotten: 'Expired',
      border: 'Recording restarted here',
      marker: 'Marker',
      sound: 'How loud the sound is',
    },
    gaps: {
      /** @type {Saying<[number, string]>} */
      count: (count, seconds) => `${plural(count, { one: '1 gap', other: `${count} gaps` })}, ${seconds} in total`,
      brief: {
        lost: 'lost',
        missing: 'missing',
        deleted: 'deleted',
        'egress-failed': 'recorder failed',
        'egress-ended': 'not recorded',
        'not-shared': 'not shared',
        refused: 'stopped',
        codec: 'not readable',
        corrupt: 'damaged',
        empty: 'empty',
        'not-a-file': 'not readable',
        'no-keyframe': 'not readable',
        'no-video': 'no picture',
        timestamps: 'not readable',
        'too-large': 'not readable',
        truncated: 'cut off',
        unreadable: 'not readable',
      },
    },
    toolbar: {
      label: 'Timeline view',
      follow: 'Follow live',
      followExplain: 'Keeps the newest moment in view',
      in: 'Zoom in',
      out: 'Zoom out',
      selection: 'Fit selection',
      all: 'Fit all',
    },
    presets: {
      label: 'Select the last',
      /** @type {Saying<[number]>} */
      short: (seconds) => (seconds < 60 ? `${seconds} s` : `${seconds / 60} min`),
      /** @type {Saying<[string]>} */
      back: (stretch) => `Last ${stretch}`,
      sinceLastClip: 'Since my last clip',
      noClip: 'No clip of this share yet.',
      /** @type {Saying<[string]>} */
      nothingSince: (at) => `Nothing new since your last clip, ${at}.`,
      /** @type {Saying<[string]>} */
      longAgo: (at) => `Your last clip ended at ${at}. Selected everything there is.`,
      tooLong: 'Too long for one clip. Selected the newest part.',
    },
    fields: {
      start: 'From',
      end: 'To',
      length: 'Length',
      /** @type {Saying<[string]>} */
      unreadable: (example) => `Not a time of day. Write it like ${example}.`,
      /** @type {Saying<[string, string]>} */
      notHeld: (from, to) => `Not available. The recording goes from ${from} to ${to}.`,
      order: 'The end must come after the start.',
      /** @type {Saying<[string]>} */
      tooLong: (most) => `Clips can be up to ${most} long. Move the other end first.`,
    },
    player: {
      title: 'Player',
      video: 'Video of the selection',
      loading: 'Loading…',
      controls: 'Playback',
      play: 'Play',
      pause: 'Pause',
      back: 'Previous frame',
      on: 'Next frame',
      loop: 'Loop',
      mute: 'Mute',
      now: 'Time shown',
      volume: 'Volume',
      rate: 'Speed',
      /** @type {Saying<[number]>} */
      times: (rate) => `${rate} ×`,
      /** @type {Saying<[string, string]>} */
      within: (at, whole) => `${at} / ${whole}`,
      outside: 'outside the selection',
      full: 'Full screen',
      inset: 'Picture in picture',
      frame: 'Copy frame',
      copied: 'Frame copied.',
      savedFrame: 'Frame saved.',
      notHere: 'Your browser doesn’t allow this here.',
    },
    filmProblems: /** @satisfies {Record<string, Saying<[Facts]>>} */ ({
      'not-found': () => 'This share has ended or isn’t shared with you any more.',
      gone: () => 'This part has expired. Select something newer.',
      'buffer-empty': () => 'Nothing is recorded of this share right now.',
      invalid: () => 'Nothing was recorded in this part. Select another.',
      'not-permitted': () => 'You can’t watch this part: you weren’t in the room then.',
      'window-too-long': (problem) => `Too long: select up to ${length(problem.max_seconds)}.`,
      'sizes-differ': () =>
        'The screen changed size here. This can’t be previewed, but an exact cut can capture it.',
      'film-broken': () => 'Can’t play this part. Select another, or try again.',
    }),
    tail: {
      /** @type {Saying<[number]>} */
      behind: (seconds) =>
        `${seconds < 60 ? `${Math.round(seconds)} s` : length(seconds)} behind live`,
      ended: 'Share ended',
      include: 'Clip up to now',
      includeExplain: 'The clip ends when you press Capture',
    },
    markers: {
      title: 'Markers',
      label: 'Label',
      labelHint: 'What happened? (optional)',
      markNow: 'Mark now',
      markHere: 'Mark this frame',
      none: 'No markers yet. Press M when something happens and clip it later. Marked moments are kept longer.',
      /** @type {Saying<[string]>} */
      marked: (at) => `Marked ${at}.`,
      cutAround: 'Clip around it',
      /** @type {Saying<[string, string]>} */
      cutAroundIt: (name, at) => `Clip around ${name}, ${at}`,
      /** @type {Saying<[string, string]>} */
      jump: (name, at) => `Show ${name}, ${at}`,
      unnamed: 'marker',
      delete: 'Delete',
      /** @type {Saying<[string, string]>} */
      deleteIt: (name, at) => `Delete ${name}, ${at}`,
      deleted: 'Marker deleted.',
      /** @type {Saying<[string]>} */
      by: (who) => `by ${who},`,
      keptUntil: 'kept until',
    },
    capture: {
      heading: 'Capture',
      title: 'Title',
      titleHint: 'Title (optional)',
      options: 'Options',
      cut: 'Cut',
      cuts: {
        precise: { name: 'Fast', hint: 'Ready at once. The file may hold up to a few hidden seconds before the start.' },
        exact: { name: 'Exact', hint: 'Slower. The file holds nothing but the selection.' },
      },
      gaps: 'Gaps',
      gapsTold: {
        skip: { name: 'Leave out', hint: 'The clip is shorter.' },
        keep: { name: 'Keep', hint: 'A still picture, without sound.' },
      },
      postRoll: 'Keep recording for',
      /** @type {Saying<[number]>} */
      postRollHint: (most) => `s more, up to ${most}`,
      /** @type {Saying<[string, { open: boolean, roll: number }]>} */
      summary: (long, { open, roll }) =>
        `${long} clip${open ? ', up to now' : ''}${roll ? `, and ${roll} s more` : ''}`,
      /** @type {Saying<[string, string]>} */
      holds: (there, long) => `Only ${there} of ${long} was recorded.`,
      /** @type {Saying<[string, string]>} */
      startsLater: (by, most) =>
        `Starts ${by} later than selected: clips can be up to ${most} long.`,
      /** @type {Saying<[string, boolean]>} */
      lost: (stretch, all) =>
        all
          ? 'The selection has expired. Select something newer.'
          : `${stretch} of the selection has expired. The clip will be shorter.`,
      submit: 'Capture',
      sending: 'Capturing…',
      again: 'No answer. Trying again…',
      unknownOutcome: 'Can’t reach the server. Press Capture again: it never makes two of the same.',
    },
    jobs: {
      title: 'Captures',
      none: 'Your captures appear here.',
      untitled: 'Untitled',
      /** @type {Saying<[string]>} */
      progress: (title) => `Progress of ${title}`,
      cuts: { precise: 'fast', segment: 'whole segments', exact: 'exact' },
      stages: {
        queued: 'Queued…',
        waiting: 'Waiting for the end…',
        ready: 'Ready.',
        cancelled: 'Cancelled.',
        lost: 'This capture is gone.',
      },
      running: {
        copying: 'Copying…',
        encoding: 'Encoding…',
        finishing: 'Checking…',
        'waiting for storage': 'Waiting for clip storage…',
      },
      /** @type {Saying<[string]>} */
      failed: (detail) => `Capture failed: ${detail}`,
      deleted: 'The clip was deleted.',
      cancel: 'Cancel',
      /** @type {Saying<[string]>} */
      dismiss: (title) => `Hide ${title}`,
      dismissShort: 'Hide',
      /** @type {Saying<[string]>} */
      video: (title) => `Clip ${title}`,
      requested: 'Requested',
      delivered: 'Got',
      tailLag: 'Missing at the end',
      hidden: 'Hidden before the start',
      /** @type {Saying<[string]>} */
      seconds: (seconds) => `${seconds} s`,
      size: 'Size',
      gaps: 'Gaps',
      kept: 'still picture',
      open: 'Open in Clips',
      download: 'Download',
    },
    failures: {
      'nothing-recorded': 'Nothing was recorded in this part. Select another.',
      'segment-changed': 'Part of the recording is missing. Select less and try again.',
      'sizes-differ': 'The screen changed size in this part. Use the exact cut, or select less.',
      'verification-failed': 'The file failed its check and was discarded. Try again.',
      'ffmpeg-failed': 'The exact cut failed. Try again, or use the fast cut.',
      'ffmpeg-missing': 'Exact cuts aren’t available here. Use the fast cut, or tell your admin.',
      'ffmpeg-stalled': 'The exact cut got stuck. Try again, or use the fast cut.',
      'media-deleted': 'Part of it was deleted meanwhile. Capture what is left.',
      'gave-up': 'It was tried several times without success. Try the other cut.',
      'storage-full': 'The disk is full. Delete clips, or tell your admin.',
    },
    keys: [
      ['Space', 'Play or pause'],
      ['V', 'Watch live, or look back'],
      ['K', 'Live: clip this'],
      ['I', 'Set start here'],
      ['O', 'Set end here'],
      ['← →', '1 second back or ahead; with Shift 10'],
      [', .', 'Previous or next frame'],
      ['L', 'Loop'],
      ['M', 'Mark now; with Shift this frame'],
      ['1 – 5', 'Select the last 30 s, 1, 2, 5 or 10 min'],
      ['F', 'Full screen'],
      ['P', 'Picture in picture'],
      ['Tab', 'To the handles: arrows, comma, full stop, Page, Home and End move them'],
    ],
  },
  watching: {
    watch: 'Watch live',
    back: 'Back to live',
    live: 'Live',
    video: 'Live picture',
    pause: 'Pause',
    clip: 'Clip this',
    length: 'How much to clip',
    /** @type {Saying<[string]>} */
    last: (stretch) => `Last ${stretch}`,
    /** @type {Saying<[string]>} */
    of: (who) => `Watch live: ${who}`,
  },
  together: {
    /** @type {Saying<[string]>} */
    pageTitle: (room) => `All screens in ${room}`,
    link: 'All screens',
    notThere: 'Nothing is shared in this room, or it isn’t shared with you',
    empty: 'Nothing recorded yet. The screens appear here after the first seconds.',
    /** @type {Saying<[string]>} */
    video: (who) => `Screen of ${who}`,
    /** @type {Saying<[string]>} */
    hear: (who) => `Hear ${who}`,
    /** @type {Saying<[string]>} */
    mute: (who) => `Mute ${who}`,
    loading: 'Loading…',
    gone: 'No longer available, or no longer shared with you',
    unavailable: 'Not available at this moment',
    before: 'Not sharing yet',
    after: 'Stopped sharing',
    notYet: 'Not recorded yet',
    seek: 'Moment shown',
    /** @type {Saying<[string]>} */
    unseen: (who) => `Not shown: ${who}`,
    others: 'Also shared in this room',
    /** @type {Saying<[string, string]>} */
    instead: (who, other) => `Show ${who} instead of ${other}`,
    length: 'Up to this moment',
    capture: 'Capture all screens',
    /** @type {Saying<[number]>} */
    captured: (count) => plural(count, { one: '1 clip of one moment', other: `${count} clips of one moment` }),
    clips: 'Show in Clips',
    /** @type {Saying<[string, string]>} */
    refused: (who, why) => `${who}: ${why}`,
    oneFilm: 'One video, side by side',
    notAll: 'This room has more shares than can be told of at once.',
    notAllCaptured: 'This room has more shares than are captured at once. Capture the others one by one.',
    keys: [
      ['Space', 'Play or pause'],
      ['V', 'Watch live, or look back'],
      ['← →', '1 second back or ahead; with Shift 10'],
    ],
  },
  library: {
    /** @type {Saying<[string, string]>} */
    untitled: (who, when) => `${who} at ${when}`,
    copyByHand: 'Your browser blocks copying here. It’s selected: press Ctrl+C.',
    grid: {
      title: 'Clips',
      more: 'Show more',
      loading: 'Loading…',
      again: 'Try again',
      length: 'Length',
      /** @type {Saying<[string]>} */
      selectOne: (name) => `Select ${name}`,
      /** @type {Saying<[string, string]>} */
      whose: (who, room) => `${who} · ${room}`,
      /** @type {Saying<[string]>} */
      by: (owner) => `by ${owner}`,
      /** @type {Saying<[number, boolean]>} */
      count: (count, all) => {
        const clips = plural(count, { one: '1 clip', other: `${count} clips` });
        return all ? clips : `${clips}, more below`;
      },
      nothing: 'No clips yet. Open a live share and capture the moment.',
      nothingFits: 'No clips match.',
      clear: 'Clear filters',
      toLive: 'See what is live',
      ofMoment: 'Only clips of one moment.',
      /** @type {Saying<[string]>} */
      onlyOf: (room) => `You signed in for “${room}”, so these are its clips.`,
      elsewhere: 'Your clips of all rooms',
    },
    filters: {
      form: 'Filter clips',
      title: 'Title',
      titleHint: 'Search titles',
      room: 'Room',
      anyRoom: 'Any room',
      owner: 'Owner',
      everybody: 'Anyone',
      mine: 'Me',
      screen: 'Screen',
      screens: { '': 'Anyone’s', mine: 'Mine', others: 'Mine, clipped by others' },
      anyAudience: 'Any',
      when: 'Created',
      times: { '': 'Any time', day: 'In the last 24 hours', week: 'In the last 7 days', month: 'In the last 30 days', dates: 'Custom dates' },
      since: 'From',
      until: 'To',
      sort: 'Sort by',
      orders: { '': 'Newest first', oldest: 'Oldest first', largest: 'My largest first' },
    },
    quota: {
      name: 'Storage',
      loading: 'Loading storage…',
      /** @type {Saying<[string, string, string]>} */
      used: (used, whole, free) => `${used} of ${whole} used, ${free} free.`,
      /** @type {Saying<[string]>} */
      reserved: (size) => `${size} held for running captures.`,
      near: 'Nearly full. Delete clips, or ask for a larger quota.',
      full: 'Full. Delete clips to capture again, or ask for a larger quota.',
    },
    space: {
      link: 'See what takes it',
      title: 'What takes your storage',
      explain: 'Your clips of all rooms, largest first.',
      /** @type {Saying<[string]>} */
      elsewhere: (room) => `You signed in for “${room}”: clips of other rooms can be deleted here, and watched once you sign in from there.`,
      columns: ['Clip', 'Room', 'Length', 'Size', 'Created', ''],
      /** @type {Saying<[string]>} */
      untitled: (when) => `Untitled, ${when}`,
      delete: 'Delete',
      /** @type {Saying<[string]>} */
      deleteOf: (name) => `Delete “${name}”`,
      /** @type {Saying<[string]>} */
      explainDelete: (room) => `It no longer counts. “Recently deleted” has it for a while, for who signs in for “${room}”.`,
      /** @type {Saying<[string]>} */
      freed: (size) => `Deleted. ${size} are free.`,
    },
    selection: {
      name: 'Selected clips',
      choose: 'Select',
      /** @type {Saying<[number]>} */
      count: (count) => (count ? `${count} selected` : 'None selected'),
      download: 'Download',
      /** @type {Saying<[number]>} */
      downloading: (count) => `${plural(count, { one: 'Downloading 1 clip.', other: `Downloading ${count} clips. If your browser asks, allow several downloads.` })}`,
      archive: 'Download as zip',
      /** @type {Saying<[string]>} */
      archiving: (size) => `Downloading a zip of ${size}.`,
      delete: 'Delete',
      access: 'Who can watch…',
      /** @type {Saying<[number]>} */
      accessOf: (count) => `Who can watch ${plural(count, { one: 'this clip', other: `these ${count} clips` })}?`,
      change: 'Change',
      /** @type {Saying<[number, string]>} */
      changed: (count, who) => `${plural(count, { one: '1 clip', other: `${count} clips` })}: ${who}`,
      /** @type {Saying<[number, string]>} */
      notChanged: (count, why) => `${plural(count, { one: 'One clip wasn’t changed.', other: `${count} clips weren’t changed.` })} ${why}`,
      all: 'Select all shown',
      done: 'Done',
    },
    deleting: {
      /** @type {Saying<[string]>} */
      one: (name) => `Deleted “${name}”.`,
      /** @type {Saying<[number]>} */
      several: (count) => `Deleted ${plural(count, { one: '1 clip', other: `${count} clips` })}.`,
      /** @type {Saying<[string]>} */
      replaced: (name) => `Replaced “${name}”.`,
      /** @type {Saying<[string]>} */
      notReplaced: (name) => `“${name}” couldn’t be replaced. The part is a clip of its own.`,
      noRoomToUndo: 'Not enough space to undo. Delete the part, then restore the clip in Recently deleted: only you see it then.',
      undo: 'Undo',
      /** @type {Saying<[number, number]>} */
      restored: (count, all) =>
        count < all ? `Restored ${count} of ${all} clips.` : plural(all, { one: 'Restored.', other: `Restored ${all} clips.` }),
      /** @type {Saying<[number, string]>} */
      notRestored: (count, why) =>
        `${plural(count, { one: 'One clip wasn’t restored.', other: `${count} clips weren’t restored.` })} ${why}`,
    },
    deleted: {
      link: 'Recently deleted',
      title: 'Recently deleted',
      explain: 'These clips don’t count against your storage. They go by themselves, sooner when the server needs the space.',
      nothing: 'Nothing was deleted recently.',
      columns: ['Clip', 'Screen', 'Captured by', 'Size', 'Deleted', 'Gone for good', ''],
      restore: 'Restore',
      /** @type {Saying<[string]>} */
      restoreOf: (name) => `Restore “${name}”`,
      /** @type {Saying<[string]>} */
      restored: (name) => `Restored “${name}”.`,
      purge: 'Delete for good',
      /** @type {Saying<[string]>} */
      purgeOf: (name) => `Delete for good: “${name}”`,
      purgeExplain: 'Nobody can undo this.',
    },
    rename: { button: 'Rename', label: 'Title', save: 'Save' },
    film: {
      /** @type {Saying<[string]>} */
      name: (title) => `Clip ${title}`,
      strip: 'Parts of the clip',
      /** @type {Saying<[string]>} */
      seek: (at) => `Play from ${at}`,
      preparing: 'Preparing…',
      chapters: 'Markers',
      /** @type {Saying<[number]>} */
      chapter: (number) => `Marker ${number}`,
      broken: 'Can’t play this clip. It may have been deleted. Reload the page to check.',
    },
    link: {
      copy: 'Copy link',
      /** @type {Saying<[string]>} */
      copyOf: (name) => `Copy link to ${name}`,
      /** @type {Saying<[string]>} */
      copied: (end) => `Link copied. Anyone with the link can watch. Expires ${end}.`,
      copiedPlain: 'Link copied. Anyone with the link can watch.',
      label: 'Link to the clip',
      instead: {
        title: 'Share by link?',
        explain: 'Anyone with the link can watch. People who were in the room no longer find the clip in their list.',
        submit: 'Copy link',
      },
      byHand: {
        title: 'Copy this link',
        explain: 'Your browser blocks copying here. Press Ctrl+C. Anyone with the link can watch.',
        submit: 'Done',
      },
      /** @type {Saying<[number]>} */
      views: (views) => plural(views, { one: '1 view', other: `${views} views` }),
    },
    audience: {
      legend: 'Who can watch',
      short: { private: 'Private', room: 'Room', link: 'Link' },
      names: { private: 'Private', room: 'Room', link: 'Link' },
      explain: {
        private: 'Only you and admins',
        room: 'People who were in the room',
        link: 'Anyone with the link',
      },
      chosen: {
        private: 'Only you and admins can watch.',
        room: 'People who were in the room can watch.',
        link: 'Anyone with the link can watch.',
      },
      link: 'Link to the clip',
      holds: 'Link expires',
      extend: 'Expires in…',
      /** @type {Saying<[number]>} */
      days: (count) => (count === 365 ? '1 year' : plural(count, { one: '1 day', other: `${count} days` })),
      shows: 'The page shows',
      tells: { who: 'who', when: 'when', chapters: 'markers' },
      renew: 'Reset link',
      renewExplain: 'The link you sent stops working. Others need the new one.',
      renewed: 'Link reset. The old one no longer works.',
      onlyRevoked: 'Link turned off, but there is no new one yet. Choose “Link” to make one.',
      revoke: 'Turn off link',
      revoked: 'Link turned off. Only you and admins can watch.',
    },
    share: {
      /** @type {Saying<[string]>} */
      title: (name) => `Share “${name}”`,
      explain: {
        private: 'Posts the clip to the chat. It stays private: others see only what the chat shows.',
        room: 'Posts the clip to the chat. Who can watch doesn’t change.',
        link: 'Posts the clip to the chat. Who can watch doesn’t change.',
      },
      channel: 'Channel',
      text: 'Message',
      placeholder: '🎬 Replay captured',
      submit: 'Share',
      /** @type {Saying<[string]>} */
      sent: (channel) => `Sent to ${channel}.`,
    },
    details: {
      dialog: 'Clip',
      page: 'Open page',
      close: 'Close',
      back: 'Clips',
      download: 'Download',
      keep: 'Never expire',
      keptNow: 'This clip doesn’t expire any more.',
      notKeptNow: 'This clip expires like others again.',
      share: 'Share to channel',
      delete: 'Delete',
      facts: 'Details',
      /** @type {Saying<[string]>} */
      othersClip: (owner) => `${owner}’s clip. You can watch and download it.`,
      gone: 'Clip deleted.',
    },
    objecting: {
      /** @type {Saying<[string]>} */
      ofYou: (owner) => `${owner}’s clip of your screen.`,
      /** @type {Saying<[string, string]>} */
      ofOther: (owner, sharer) => `${owner}’s clip of ${sharer}’s screen.`,
      close: 'Make private',
      closed: 'The clip is private. Links to it no longer work.',
      closedShort: 'Closed',
      /** @type {Saying<[string]>} */
      closedByYou: (owner) => `You made this clip private. ${owner} can’t share it until you allow it.`,
      /** @type {Saying<[string]>} */
      closedYours: (who) => `${who} made this clip private. You can’t share it until they allow it.`,
      /** @type {Saying<[string]>} */
      closedBy: (who) => `${who} made this clip private.`,
      reopen: 'Allow sharing again',
      /** @type {Saying<[string]>} */
      reopened: (owner) => `${owner} can share this clip again.`,
      ask: 'Ask to delete',
      /** @type {Saying<[string]>} */
      askTitle: (owner) => `Ask ${owner} to delete this clip?`,
      reason: 'Reason (optional)',
      /** @type {Saying<[string]>} */
      asked: (owner) => `Asked ${owner} to delete it.`,
      askedShort: 'Deletion requested',
      /** @type {Saying<[string]>} */
      youAsked: (owner) => `You asked ${owner} to delete this clip.`,
      /** @type {Saying<[string, string]>} */
      asks: (who, reason) => (reason ? `${who} asks to have this clip deleted: “${reason}”` : `${who} asks to have this clip deleted.`),
      delete: 'Delete for good',
      /** @type {Saying<[string]>} */
      deleteTitle: (name) => `Delete “${name}” for good?`,
      /** @type {Saying<[string]>} */
      deleteExplain: (owner) => `What ${owner} trimmed from it goes, too. This can’t be undone, not even by ${owner}, who is told.`,
      deleted: 'Clip deleted.',
    },
    trim: {
      button: 'Trim',
      heading: 'Trim',
      selection: 'Selection',
      /** @type {Saying<[string, string, string]>} */
      range: (from, to, long) => `${from} – ${to} (${long})`,
      startHere: 'Start here',
      endHere: 'End here',
      preview: 'Play selection',
      title: 'Title',
      titleHint: 'Title (optional)',
      exact: 'Exact cut (slower)',
      submit: 'Save as new clip',
      replace: 'Replace this clip',
      explain: 'Drag the ends of the strip. Saved as a new clip, this one stays as it is. Replaced, this one goes to Recently deleted, and its link leads to the part.',
    },
    renditions: {
      heading: 'Other formats',
      make: { gif: 'Copy as GIF', webp: 'WebP', 'mp4-720p': '720p', 'mp4-side-by-side': 'Side by side' },
      formats: { gif: 'GIF', webp: 'WebP', 'mp4-720p': '720p', 'mp4-side-by-side': 'Side by side' },
      explain: 'GIF and WebP begin where the film is, and have 15 s.',
      none: 'None yet.',
      /** @type {Saying<[string]>} */
      making: (name) => `Making ${name}`,
      /** @type {Saying<[string]>} */
      download: (size) => `Download (${size})`,
      removeShort: 'Delete',
      /** @type {Saying<[string, string]>} */
      remove: (name, part) => `Delete ${name}, ${part}`,
    },
    life: {
      kept: 'Doesn’t expire',
      /** @type {Saying<[string]>} */
      expires: (when) => `Expires ${when}`,
    },
    facts: {
      more: 'Technical details',
      requested: 'Requested',
      delivered: 'Got',
      tail: 'Missing at the end',
      /** @type {Saying<[string]>} */
      tailMissing: (seconds) => `${seconds} s, not recorded yet`,
      /** @type {Saying<[string]>} */
      tailLeans: (seconds) =>
        `${seconds} s, which only an exact cut includes`,
      gaps: 'Gaps',
      /** @type {Saying<[string, string, boolean]>} */
      gap: (long, why, kept) => `${long}: ${why}${kept ? ', still picture' : ', left out'}`,
      gapWords: {
        'no-picture': 'nothing new on screen',
        lost: 'recording lost',
        'not-recorded': 'not recorded',
        'not-present': 'you weren’t in the room',
      },
      notes: 'Notes',
      noteWords: {
        'start-clamped': 'The recording starts later than requested.',
        'end-clamped': 'The recording ends earlier than requested.',
        'share-ended': 'The share had ended, so this counts back from its end.',
        'clock-approximate': 'Times may be up to 2 s off.',
        'permission-ended': 'Ends where your permission to capture ended.',
        'while-present': 'Only what happened while you were in the room.',
      },
      hidden: 'Hidden beginning',
      /** @type {Saying<[string]>} */
      hiddenHead: (seconds) => `${seconds} s at the start that players skip`,
      trimmed: 'Trimmed from',
      original: 'Original clip',
      moment: 'Same moment',
      together: 'All screens',
      whose: 'Screen of',
      room: 'Room',
      owner: 'Captured by',
      made: 'Created',
      life: 'Expires',
      kept: 'Never',
      forever: 'Never',
      picture: 'Picture',
      sound: 'with sound',
      silent: 'without sound',
      cut: 'Cut',
      cuts: {
        precise: 'Fast',
        segment: 'Whole segments',
        exact: 'Exact',
      },
      clock: 'Clock',
      clocks: { exact: 'Exact', approximate: 'Up to 2 s off' },
      size: 'Size',
      checksum: 'Checksum',
      noChecksum: 'Not ready yet',
      copyChecksum: 'Copy checksum',
      copy: 'Copy',
      copied: 'Checksum copied.',
    },
  },
  listing: {
    loading: 'Loading…',
    more: 'Show more',
    again: 'Try again',
    /** @type {Saying<[number, boolean]>} */
    count: (count, all) => (all ? `${count} in total` : `${count} shown, more below`),
    save: 'Save as CSV',
    /** @type {Saying<[number, boolean]>} */
    saved: (count, all) => (all ? `Rows saved: ${count}.` : `Rows saved: ${count}, not all of them. Filter the list to get the others.`),
  },
  admin: {
    title: 'Admin',
    tabs: {
      shares: 'Shares',
      communities: 'Communities',
      people: 'Quotas',
      deliveries: 'Webhooks',
      audit: 'Audit',
      instance: 'Server',
    },
    nobody: 'You’re not an admin here. An admin of your community or of this server can change that.',
    /** @type {Saying<[string]>} */
    notYours: (tab) => `“${tab}” is for admins of this server.`,
    shares: {
      title: 'Shares',
      columns: ['Who', 'Room', 'State', 'Available', 'Since', ''],
      filter: 'State',
      all: 'All states',
      /** @type {Saying<[number, number]>} */
      count: (all, recording) => `${plural(all, { one: '1 share', other: `${all} shares` })}, ${recording} recording now`,
      /** @type {Saying<[string]>} */
      upTo: (clock) => `up to ${clock}`,
      nothing: 'Nobody is sharing right now.',
      nothingFits: 'No shares in this state.',
    },
    communities: {
      title: 'Communities',
      columns: ['Community', 'Recording', 'Shares', 'Who can record', 'Who can be clipped', 'Kept for', 'Members'],
      nothing: 'No communities yet.',
      add: 'Add community',
      addExplain: 'It exists once you save its rules. Rooms belong to it by their metadata, or because you assign them.',
      name: 'Name',
      toRules: 'Set its rules',
      on: 'On',
      off: 'Off',
      /** @type {Saying<[number, number]>} */
      slots: (active, most) => `${active} of ${most}`,
      /** @type {Saying<[number]>} */
      minutes: (minutes) => `${minutes} min`,
      back: 'Communities',
      rules: 'Rules',
      enabled: 'Record shares in this community',
      called: 'Rooms and tokens call it',
      names: {
        title: 'Shown as',
        max_concurrent: 'Shares recorded at once',
        max_concurrent_per_user: 'Shares per user at once',
        access: 'Who can record and clip',
        capture_policy: 'Whose share can be clipped',
        sharer_rights: 'What sharers may do with clips of them',
        retention_minutes: 'Minutes kept',
      },
      hints: {
        /** @type {Saying<[string]>} */
        title: (name) => `What people see instead of “${name}”. Rooms and tokens go on calling it that.`,
        /** @type {Saying<[number]>} */
        max_concurrent: (most) => `Others wait until one ends. 0 to ${most}.`,
        /** @type {Saying<[number]>} */
        max_concurrent_per_user: (most) => `Across all their devices. 1 to ${most}.`,
        access: 'Moderators, admins, and people with extra permissions always can.',
        capture_policy: 'Room admins can always clip in their room.',
        sharer_rights: 'Applies to clips that others made and shared. Room admins may do the same in their room.',
        /** @type {Saying<[number]>} */
        retention_minutes: (most) => `How far back you can go. Up to ${most}.`,
      },
      access: {
        open: { name: 'Everyone', means: 'Whoever shares is recorded.' },
        rbac: { name: 'Roles only', means: 'Nobody else is recorded or makes clips.' },
      },
      policies: {
        self: { name: 'Only their own', means: 'Nobody clips what others share.' },
        room: { name: 'Of people in the same call', means: 'What was shared while they were there.' },
        role: { name: 'Anyone’s, by role', means: 'Moderators and admins clip every share.' },
      },
      rights: {
        see: { name: 'See them, ask for deletion', means: 'The owner decides.' },
        close: { name: 'Also make them private', means: 'Links stop working, the owner keeps the clip.' },
        delete: { name: 'Also delete them', means: 'For good: the owner loses the clip.' },
      },
      adminsOnly: 'Only admins of the community can change this.',
      atOnce: 'When you save',
      effects: {
        off: 'All recordings in this community stop now. What was recorded stays until it expires.',
        roles: 'Recordings of people without a role stop now.',
        rights: 'Open replays stop playing, and running captures end here, for people who may no longer watch.',
        /** @type {Saying<[number]>} */
        shorter: (minutes) => `What is older than ${minutes} min is deleted now. It can’t be brought back.`,
        fewer: 'Running recordings go on. New ones wait until there are fewer.',
      },
      /** @type {Saying<[string]>} */
      asInstanceNow: (value) => `Default (${value})`,
      save: 'Save',
      saved: 'Saved. Applies at once.',
    },
    members: {
      title: 'Members',
      columns: ['Who', 'Role', 'Extra permissions', ''],
      nothing: 'Nobody has a role or extra permissions here.',
      search: 'Find a member',
      identity: 'Identity',
      role: 'Role',
      roles: { member: 'Member', moderator: 'Moderator', admin: 'Admin' },
      grantsTitle: 'Extra permissions',
      grants: {
        enable_replay_buffer: 'Be recorded',
        capture_replay: 'Watch and clip',
        manage_community_replay_config: 'Manage limits',
      },
      add: 'Add member',
      change: 'Change',
      /** @type {Saying<[string]>} */
      changeOf: (who) => `Change ${who}`,
      save: 'Save',
      /** @type {Saying<[string]>} */
      saved: (who) => `Saved ${who}.`,
      remove: 'Remove',
      /** @type {Saying<[string]>} */
      removeOf: (who) => `Remove ${who}`,
      /** @type {Saying<[string]>} */
      removeTitle: (who) => `Remove ${who}?`,
      removeExplain: 'They lose their role and extra permissions. Their clips stay theirs.',
      /** @type {Saying<[string]>} */
      removed: (who) => `Removed ${who}.`,
    },
    people: {
      title: 'Quotas',
      columns: ['Who', 'Used', 'Quota', ''],
      nothing: 'Nobody has clips or their own quota yet.',
      search: 'Find a person',
      /** @type {Saying<[string, string]>} */
      used: (used, reserved) => (reserved ? `${used}, and ${reserved} held for running captures` : used),
      identity: 'Identity',
      gigabytes: 'Gigabytes',
      asInstance: 'Default',
      explain: 'If this is less than they use, they can’t capture until they delete clips. Nothing is deleted.',
      add: 'Set a quota',
      change: 'Set quota',
      /** @type {Saying<[string]>} */
      changeOf: (who) => `Set quota of ${who}`,
      save: 'Save',
      /** @type {Saying<[string, string]>} */
      saved: (who, quota) => `Set ${who}’s quota to ${quota}.`,
    },
    deliveries: {
      title: 'Webhooks',
      columns: ['Event', 'Room', 'Created', 'Targets', ''],
      none: 'No target takes shared clips. Set EVENTS_URL, or EVENTS_TARGETS for several or for chats, and restart.',
      reference: 'What events look like',
      targetStates: { delivered: 'Delivered', pending: 'Pending', dead: 'Failed' },
      /** @type {Saying<[number]>} */
      attempts: (count) => plural(count, { one: '1 attempt', other: `${count} attempts` }),
      which: 'Which events',
      states: { dead: 'Failed', pending: 'Pending' },
      explain: {
        dead: 'Not taken for 24 h, or refused by a chat. Check EVENTS_URL and EVENTS_TARGETS, then send again.',
        pending: 'Tried again for up to 24 h.',
      },
      nothing: { dead: 'No failed events.', pending: 'No pending events.' },
      events: {
        buffer_started: 'Recording started',
        buffer_ended: 'Recording ended',
        buffer_refused: 'Recording refused',
        capture_ready: 'Capture ready',
        capture_failed: 'Capture failed',
        clip_shared: 'Clip shared',
        role_changed: 'Role changed',
        screen_captured: 'Screen captured',
        buffer_encoding: 'Encoding changed',
        buffer_erased: 'Recording deleted',
        quota_exceeded: 'Quota exceeded',
        clip_withdrawn: 'Clip closed or deleted by others',
        deletion_requested: 'Deletion requested',
        ping: 'Test event',
      },
      again: 'Send again',
      ping: 'Send a test event',
      pinging: 'Sending a test event…',
      pinged: 'Not taken yet. It is listed under Pending.',
      /** @type {Saying<[string, string]>} */
      againOf: (event, room) => `Send again: ${event}, ${room}`,
      sent: 'Sending again.',
      /** @type {Saying<[string]>} */
      nextTry: (when) => `next try ${when}`,
    },
    audit: {
      title: 'Audit',
      columns: ['When', 'What happened', 'Room', 'Details'],
      show: 'Show',
      nothing: 'No entries.',
      service: 'Replay',
      anyAction: 'Anything',
      filters: { done_by: 'Who', action: 'What happened', subject: 'On', since: 'From', until: 'To' },
      /** @type {Record<string, Saying<[string, string]>>} */
      sentences: {
        captured: (who, whom) => `${who} captured ${whom}’s screen`,
        capture_cancelled: (who, whom) => `${who} cancelled a capture of ${whom}’s`,
        clip_changed: (who, whom) => `${who} changed a clip of ${whom}`,
        clip_converted: (who, whom) => `${who} converted a clip of ${whom}`,
        rendition_deleted: (who, whom) => `${who} deleted a clip of ${whom} in another format`,
        clip_deleted: (who, whom) => `${who} deleted a clip of ${whom}`,
        clip_restored: (who, whom) => `${who} restored a clip of ${whom}`,
        clip_shared: (who, whom) => `${who} shared a clip of ${whom}`,
        deletion_requested: (who, whom) => `${who} asked ${whom} to delete a clip`,
        clip_expired: (_, whom) => `A clip of ${whom} expired`,
        buffer_forgotten: (who, whom) => `${who} deleted ${whom}’s recording`,
        opted_out: (who) => `${who} opted out of recording`,
        marker_deleted: (who, whom) => `${who} deleted a marker of ${whom}`,
        recording_stopped: (who, whom) => `${who} stopped recording ${whom}`,
        recording_resumed: (who, whom) => `${who} resumed recording ${whom}`,
        community_configured: (who, whom) => `${who} changed the rules of ${whom}`,
        room_assigned: (who, whom) => `${who} assigned a room to ${whom}`,
        room_released: (who, whom) => `${who} removed a room from ${whom}`,
        member_set: (who, whom) => `${who} set ${whom}’s role`,
        member_removed: (who, whom) => `${who} removed ${whom}`,
        quota_set: (who, whom) => `${who} set ${whom}’s quota`,
        quota_repaired: (who, whom) => `${who} corrected ${whom}’s quota`,
        event_sent_again: (who, whom) => `${who} resent ${whom}`,
        events_tried: (who) => `${who} sent a test event`,
        sessions_ended: (who, whom) => `${who} ended ${whom}’s sessions`,
        signed_out_everywhere: (who) => `${who} signed out everywhere`,
      },
      actions: {
        captured: 'Captured',
        capture_cancelled: 'Cancelled a capture',
        clip_changed: 'Changed a clip',
        clip_converted: 'Converted a clip',
        rendition_deleted: 'Deleted a clip in another format',
        clip_deleted: 'Deleted a clip',
        clip_restored: 'Restored a clip',
        clip_shared: 'Shared a clip',
        deletion_requested: 'Asked to delete a clip',
        clip_expired: 'Deleted an expired clip',
        buffer_forgotten: 'Deleted a recording',
        opted_out: 'Opted out of recording',
        marker_deleted: 'Deleted a marker',
        recording_stopped: 'Stopped a recording',
        recording_resumed: 'Resumed a recording',
        community_configured: 'Changed a community’s rules',
        room_assigned: 'Assigned a room to a community',
        room_released: 'Removed a room from a community',
        member_set: 'Set a role',
        member_removed: 'Removed a member',
        quota_set: 'Set a quota',
        quota_repaired: 'Repaired a quota',
        event_sent_again: 'Resent an event',
        events_tried: 'Sent a test event',
        sessions_ended: 'Ended a user’s sessions',
        signed_out_everywhere: 'Signed out everywhere',
      },
    },
    instance: {
      title: 'Server',
      checks: 'Checks',
      history: 'Numbers',
      range: 'How far back',
      ranges: { hour: 'Last hour', day: '24 hours', week: '7 days' },
      full: 'The disk is full: nothing new is recorded.',
      /** @type {Saying<[string]>} */
      fullIn: (time) => `Disk full in about ${time}, if it goes on like this.`,
      captures: {
        title: 'Captures, last 7 days',
        columns: ['Day', 'Clips', 'Failed', 'Why', 'Cancelled'],
        nothing: 'No captures in the last 7 days.',
        /** @type {Saying<[number, string]>} */
        cause: (count, reason) => `${count} × ${reason}`,
      },
      again: 'Check again',
      /** @type {Record<'ok' | 'warn' | 'unknown' | 'fail', Saying<[number]>>} */
      counts: {
        ok: (count) => `${count} OK`,
        warn: (count) => plural(count, { one: '1 warning', other: `${count} warnings` }),
        unknown: (count) => `${count} unknown`,
        fail: (count) => `${count} failed`,
      },
      checkedAt: 'Checked at',
      levels: { ok: 'OK', warn: 'Warning', unknown: 'Unknown', fail: 'Failed' },
      /** @type {Saying<[number]>} */
      seconds: (value) => `${value < 10 ? Math.round(value * 100) / 100 : Math.round(value)} s`,
      quantities: {
        free_disk_bytes: 'Free disk',
        buffered_bytes: 'Recordings',
        clips_bytes: 'Clips',
        media_lag_seconds: 'Recording delay',
        index_lag_seconds: 'Indexing delay',
        active_sessions: 'Recordings running',
      },
    },
    plot: {
      at: 'Time',
      value: 'Value',
      asTable: 'As a table',
      nothing: 'Nothing measured yet.',
      notMeasured: 'not measured',
      /** @type {Saying<[string, string]>} */
      valueAt: (clock, value) => `${clock}: ${value}`,
      /** @type {Saying<[string, string, string, string]>} */
      summary: (least, leastAt, most, mostAt) => `Lowest ${least} at ${leastAt}, highest ${most} at ${mostAt}.`,
    },
  },
};

/** The texts in the viewer's language. @type {typeof english} */
export const texts = isGerman(language) ? (await import('./german.js')).german : english;

/**
 * What of several texts is called by a word that the service told; undefined for one that none is.
 *
 * @template Text
 * @param {Record<string, Text>} words
 * @param {string} name
 */
export const called = (words, name) => (Object.hasOwn(words, name) ? words[name] : undefined);

/** A text by its dotted name. @param {string} name */
export function text(name) {
  /** @type {unknown} */
  let found = texts;
  for (const key of name.split('.')) found = /** @type {Record<string, unknown>} */ (found)[key];
  return String(found);
}
