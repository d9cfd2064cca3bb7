// Every text of the page, in one place. A text that needs facts is a function of them.

import { bytes, length } from './times.js';

/**
 * A text that needs facts.
 * @template {unknown[]} Facts
 * @typedef {(...facts: Facts) => string} Saying
 */

/**
 * A problem document with the facts of its kind.
 * @import { Document } from './api.js'
 * @typedef {Required<Omit<Document, 'retry_after'>> & {retry_after?: number}} Facts
 */

export const texts = {
  shell: {
    brand: 'Replay',
    skip: 'Skip to the content',
    buffers: 'Live',
    clips: 'Clips',
    admin: 'Administration',
    dismiss: 'Dismiss',
    cancel: 'Cancel',
    leave: 'Sign out',
    leaveEverywhere: {
      label: 'Sign out everywhere',
      explain:
        'Ends your sessions on every device, and the addresses of pictures and films that you were ' +
        'given. It takes up to 5 seconds.',
    },
    lost: 'The service can’t be reached. Trying again…',
    unknown: 'There is no such page.',
    failed: 'This can’t be shown',
    retry: 'Try again',
    nav: 'Main',
  },
  entry: {
    title: 'Sign in',
    explain:
      'Paste an access token: the one that your app gave you for the room, or one that ' +
      '“python -m app token” printed.',
    label: 'Access token',
    submit: 'Sign in',
    expired: 'Your session has expired. Sign in again.',
    left: 'You have signed out.',
    swap: {
      title: 'Go on as somebody else?',
      /** @type {Saying<[string, string]>} */
      explain: (mine, theirs) =>
        `You are signed in as “${mine}”. The link that you have opened is a token of “${theirs}”: what ` +
        'you capture, mark and keep from then on is theirs, not yours. If you did not expect it, cancel.',
      /** @type {Saying<[string]>} */
      submit: (theirs) => `Go on as ${theirs}`,
    },
    /** @type {Saying<[string]>} */
    ends: (at) => `Your session ends at ${at}.`,
    again: 'Sign in again',
    goOn: 'Paste a fresh access token to go on. The page stays as it is, with what you have typed.',
  },
  keyboard: {
    title: 'Keyboard',
    on: 'Single keys act',
    here: 'On this page',
    everywhere: 'Everywhere',
    close: 'Close',
    keys: [
      ['?', 'Show these keys'],
      ['/', 'Go to the search field'],
      ['Tab', 'Go to the next control; with Shift, to the one before'],
      ['Esc', 'Close a dialog'],
    ],
  },
  problems: /** @satisfies {Record<string, string | Saying<[Facts]>>} */ ({
    unreachable: 'The service can’t be reached. Check your connection and try again.',
    unexpected: 'Something went wrong in this page. Reload it and try again.',
    'not-found': 'That is not there, or not yours to see.',
    gone: 'That is no longer kept. Select something newer.',
    conflict: (problem) => `That is not possible any more: ${problem.detail}.`,
    invalid: (problem) => `The service does not take this: ${problem.detail}.`,
    'not-permitted': (problem) => `You may not do this: ${problem.detail}.`,
    'buffer-empty': (problem) =>
      `Nothing is kept of this share yet.${problem.retry_after ? ` Try again in ${problem.retry_after} s.` : ''}`,
    'too-many-markers': 'This share has as many markers as it may have. Delete some first.',
    'window-too-long': (problem) => `A clip can be ${length(problem.max_seconds)} long at most. Select less.`,
    'too-many-captures': (problem) =>
      `You have asked for as many clips as you may (${problem.limit}). ` +
      `Cancel one, or try again in ${Math.ceil(problem.retry_after ?? 0)} s.`,
    'quota-exceeded': (problem) =>
      `Your quota is used up: the clip needs about ${bytes(problem.needed_bytes)}; of ` +
      `${bytes(problem.quota_bytes)} there are ${bytes(left(problem))} left. Delete clips, or select less.`,
    'storage-full': 'The disk of the service is full. Tell whoever runs it.',
    'no-public-url': 'No link would lead here. Tell whoever runs the service to set PUBLIC_URL.',
    'sizes-differ': 'The picture changed its size in this part. Choose the exact cut, or select less.',
    unauthorized: 'Your session has expired. Sign in again to go on.',
    'token-refused': ({ detail }) => `This token is not taken: ${detail}. Ask your app, or who runs this service, for a fresh one.`,
    preparing: 'The copy for others is being made. Try again in a moment.',
    unavailable: 'The service is busy with itself right now. Try again in a few seconds.',
    'too-many-requests': 'Too much is asked for at once, perhaps by other tabs of yours: close some, then try again.',
  }),
  buffers: {
    title: 'Live',
    loading: 'Looking for live shares…',
    nothing: 'Nobody is sharing a screen',
    begin: 'Share a screen in a room of this LiveKit server; it appears here within seconds.',
    /** @type {Saying<[string]>} */
    beginRoom: (room) => `Share a screen in “${room}”; it appears here within seconds.`,
    nothingFits: 'No share fits the filter.',
    clear: 'Show all',
    search: 'Filter by person or room',
    chips: 'Filter by state',
    groups: { all: 'All', live: 'Recording', attention: 'Needs a look', ended: 'Ended' },
    /** @type {Saying<[number, number]>} */
    shown: (shown, all) => `${shown} of ${all} shares`,
    /** @type {Saying<[string, string]>} */
    came: (who, room) => `${who} shares a screen in ${room}.`,
    /** @type {Saying<[string, string]>} */
    went: (who, state) => `${who}: ${state}.`,
    you: 'you',
    sound: 'With sound',
    silent: 'No sound',
    /** @type {Saying<[string, string]>} */
    amount: (seconds, most) => `${seconds} of ${most}`,
    newest: {
      /** @type {Saying<[number]>} */
      seconds: (count) => `${count} s ago`,
      /** @type {Saying<[number]>} */
      minutes: (count) => `${count} min ago`,
      /** @type {Saying<[number]>} */
      hours: (count) => `${count} h ago`,
      name: 'The newest moment',
    },
    /** @type {Saying<[string]>} */
    stays: (until) => `Stays until ${until}`,
    fades: 'Goes any moment',
    /** @type {Saying<[string]>} */
    over: (at) => `Ended at ${at}`,
    /** @type {Saying<[string]>} */
    retry: (at) => `Next try at ${at}.`,
    /** @type {Saying<[string, string]>} */
    because: (says, reason) => `${says} Their reason: ${reason}`,
    /** @type {Saying<[string, string]>} */
    becauseYou: (says, reason) => `${says} Your reason: ${reason}`,
    hidden: 'You see that this is recorded, but may not watch it.',
    noPicture: 'No picture yet',
    keep: 'Keep the last 30 s',
    /** @type {Saying<[string]>} */
    keepOf: (who) => `Keep the last 30 s of ${who}`,
    /** @type {Saying<[string]>} */
    keeping: (who) => `Keeping the last 30 s of ${who}…`,
    /** @type {Saying<[string]>} */
    kept: (who) => `The last 30 s of ${who} are a clip.`,
    /** @type {Saying<[string, string]>} */
    lost: (who, why) => `The last 30 s of ${who} could not be kept: ${why}`,
    open: 'Open the clip',
    stop: 'Stop',
    /** @type {Saying<[string]>} */
    stopOf: (who) => `Stop recording ${who}`,
    /** @type {Saying<[string]>} */
    stopTitle: (who) => `Stop recording ${who}?`,
    stopExplain: 'Nothing more of this share is recorded until somebody resumes it. What is there stays as long as it would.',
    stopReason: 'Reason (may be left empty; the sharer reads it)',
    /** @type {Saying<[string]>} */
    stopped: (who) => `${who} is not recorded any more.`,
    erase: 'Delete…',
    /** @type {Saying<[string]>} */
    eraseOf: (who) => `Delete what is kept of ${who}`,
    /** @type {Saying<[string]>} */
    eraseTitle: (who) => `Delete what is kept of ${who}?`,
    eraseExplain: 'It is gone at once and for good. The recording goes on, and clips that were made before stay.',
    eraseLast: 'Delete the last minute',
    eraseAll: 'Delete everything',
    /** @type {Saying<[string]>} */
    erased: (who) => `Deleted from what is kept of ${who}.`,
    resume: 'Resume',
    /** @type {Saying<[string]>} */
    resumeOf: (who) => `Resume recording ${who}`,
    /** @type {Saying<[string]>} */
    resumed: (who) => `${who} is recorded again within seconds.`,
    resumedOwn: 'You are recorded again within seconds, unless an administrator has stopped it, too.',
    /** @type {Saying<[string]>} */
    stillStopped: (who) => `This stop of ${who} is taken back, but there is another one: it is not recorded yet.`,
    keys: [['K', 'Keep the last 30 s of the share that has the focus']],
    states: {
      waiting: 'Waiting',
      starting: 'Starting',
      recording: 'Recording',
      lagging: 'Lagging',
      stalled: 'Stalled',
      ended: 'Ended',
      refused: 'Not recorded',
    },
    // Why nothing, or nothing more, is recorded: what it means, then what to do.
    why: {
      'opted-out': {
        says: 'The sharer has opted out of being recorded.',
        todo: 'Only they can change that: by sharing again without replay=off.',
      },
      'stopped-by-sharer': {
        says: 'The sharer has stopped the recording.',
        todo: 'Only they can resume it.',
      },
      'stopped-by-admin': {
        says: 'An administrator has stopped the recording.',
        todo: 'An administrator can resume it.',
      },
      encrypted: {
        says: 'The share is end-to-end encrypted, so nobody but its viewers can see it.',
        todo: 'Share without encryption to have it recorded.',
      },
      'no-worker': {
        says: 'Waiting for a free recorder.',
        todo: 'It begins by itself when one is free. If this lasts, more egress workers are needed.',
      },
      limit: {
        /** @type {Saying<[string]>} */
        says: (detail) => (/^\d+$/.test(detail) ? `The limit of ${detail} shares at once is reached.` : 'The limit of shares recorded at once is reached.'),
        todo: 'It begins by itself when another share ends.',
      },
      'user-limit': {
        /** @type {Saying<[string]>} */
        says: (detail) => (/^\d+$/.test(detail) ? `The limit of ${detail} shares of one user at once is reached.` : 'The limit of shares of one user recorded at once is reached.'),
        todo: 'It begins by itself when they end another of theirs.',
      },
      quota: {
        says: 'The sharer’s quota for clips is used up.',
        todo: 'It begins by itself once they delete clips or get a larger quota.',
      },
      disk: {
        says: 'The service’s disk is nearly full.',
        todo: 'It begins by itself when there is room. Whoever runs the service should look at the disk.',
      },
      'not-permitted': {
        says: 'The sharer may not have their screen recorded here.',
        todo: 'Whoever administrates the community can grant it.',
      },
      'community-off': {
        says: 'Recording is switched off in this community.',
        todo: 'Whoever administrates the community can switch it on.',
      },
      'egress-failed': {
        says: 'The recorder failed.',
        todo: 'It is started again by itself.',
      },
      starting: {
        says: 'The recorder is starting.',
        todo: 'The first picture comes within seconds.',
      },
    },
    stoppedByYou: {
      says: 'You have stopped the recording.',
      todo: 'Only you can resume it.',
    },
    lagging: {
      says: 'New media comes late.',
      todo: 'Nothing is lost; it usually catches up by itself.',
    },
    stalled: {
      says: 'No new media comes.',
      todo: 'If the share still runs, it is recorded again by itself; else let them share anew.',
    },
    // Why nothing can be shown of a time in between.
    gaps: {
      lost: 'The recorder lost this part',
      missing: 'The file of this part is gone from the disk',
      deleted: 'This part was deleted',
      'egress-failed': 'The recorder failed here and was started again',
      'egress-ended': 'Nothing was recorded here',
      expired: 'This part is too old: only what lies around a mark is still kept',
      'not-present': 'You were not in the room: only what happened while you were is yours to watch',
      codec: 'This part has a format that can’t be shown',
      corrupt: 'This part was damaged',
      empty: 'The recorder wrote nothing here',
      'not-a-file': 'This part is not a file on the disk',
      'no-keyframe': 'This part begins without a whole picture',
      'no-video': 'This part has no picture',
      timestamps: 'This part has impossible times',
      'too-large': 'This part is larger than any recording',
      truncated: 'This part breaks off too early',
      unreadable: 'This part can’t be read from the disk',
    },
  },
  timeline: {
    /** @type {Saying<[string, string]>} */
    pageTitle: (identity, room) => `${identity} in ${room}`,
    title: 'Timeline',
    back: '← All shares',
    empty: 'Nothing is recorded yet. The timeline appears here with the first seconds.',
    approximate: 'Times may be up to 2 s off.',
    notThere: {
      title: 'Not there, or not yours to see',
      explain:
        'There is no such share, or you may not see it. What was shared is kept for some minutes only.',
      back: 'To the shares',
    },
    track: {
      /** @type {Saying<[number]>} */
      newer: (seconds) => `${seconds} s newer`,
      label: 'Timeline',
      start: 'Start of the selection',
      end: 'End of the selection',
      forgotten: 'No longer kept',
      border: 'The recording began anew here',
      marker: 'Marker',
    },
    gaps: {
      /** @type {Saying<[number, string]>} */
      count: (count, seconds) => `${count === 1 ? '1 gap' : `${count} gaps`}, ${seconds} in all`,
      brief: {
        lost: 'lost',
        missing: 'missing',
        deleted: 'deleted',
        'egress-failed': 'recorder failed',
        'egress-ended': 'not recorded',
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
      label: 'What the timeline shows',
      follow: 'Follow live',
      followExplain: 'Keeps the newest moment in sight, unless you are using the timeline',
      in: 'Zoom in',
      out: 'Zoom out',
      selection: 'Selection',
      all: 'All',
    },
    presets: {
      label: 'Select the newest',
      /** @type {Saying<[number]>} */
      short: (seconds) => (seconds < 60 ? `${seconds} s` : `${seconds / 60} min`),
      /** @type {Saying<[string]>} */
      back: (stretch) => `The last ${stretch}`,
      sinceLastClip: 'Since my last clip',
      noClip: 'You have no clip of this share yet.',
      /** @type {Saying<[string]>} */
      nothingSince: (at) => `Your last clip reaches to the newest moment, ${at}.`,
      /** @type {Saying<[string]>} */
      longAgo: (at) => `Your last clip ended at ${at}, before what is kept: all that is there is selected.`,
      tooLong: 'That is longer than a clip can be: the newest part of it is selected.',
    },
    fields: {
      start: 'From',
      end: 'To',
      length: 'Length',
      /** @type {Saying<[string]>} */
      unreadable: (example) => `That is not a time of day. Write it like ${example}.`,
      /** @type {Saying<[string, string]>} */
      notHeld: (from, to) => `That is not kept. There is something from ${from} to ${to}.`,
      order: 'The end must be later than the start.',
      /** @type {Saying<[string]>} */
      tooLong: (most) => `A clip can be ${most} long at most. Move the other end first.`,
    },
    player: {
      title: 'Player',
      video: 'The film of the selection',
      loading: 'Loading…',
      controls: 'Playing',
      play: 'Play',
      pause: 'Pause',
      back: 'One picture back',
      on: 'One picture on',
      loop: 'Loop',
      mute: 'Mute',
      now: 'The moment shown',
      volume: 'Volume',
      rate: 'Speed',
      /** @type {Saying<[number]>} */
      times: (rate) => `${rate} ×`,
      /** @type {Saying<[string, string]>} */
      within: (at, whole) => `${at} / ${whole}`,
      outside: 'outside of the selection',
      promise: 'This is the very film that a precise cut makes: what you see is what the clip will be.',
    },
    filmProblems: /** @satisfies {Record<string, Saying<[Facts]>>} */ ({
      'not-found': () => 'This share is no longer kept, or no longer yours to see.',
      gone: () => 'This part is no longer kept. Select something newer.',
      'buffer-empty': () => 'Nothing is kept of this share at the moment.',
      invalid: () => 'Nothing was recorded in this part. Select another one.',
      'not-permitted': () => 'You may not watch this part: you were not in the room then.',
      'window-too-long': (problem) => `This is too long: select ${length(problem.max_seconds)} at most.`,
      'sizes-differ': () =>
        'The picture changed its size within the selection: that can’t be played, but captured with the exact cut.',
      'film-broken': () => 'The film could not be played. Select another part, or try again.',
    }),
    tail: {
      /** @type {Saying<[number]>} */
      behind: (seconds) =>
        `The newest moment is ${seconds < 60 ? `${seconds.toFixed(1)} s` : length(seconds)} behind now.`,
      ended: 'The share ended',
      include: 'Include this moment',
      includeExplain: 'The capture reaches to the moment you ask for it, and waits for that media',
    },
    markers: {
      title: 'Markers',
      label: 'Label',
      labelHint: 'What happens here (optional)',
      markNow: 'Mark now',
      markHere: 'Mark the shown moment',
      none: 'No markers yet. Press M when something happens and cut it later: what is marked is kept longer.',
      /** @type {Saying<[string]>} */
      marked: (at) => `Marked ${at}.`,
      cutAround: 'Cut around it',
      /** @type {Saying<[string, string]>} */
      cutAroundIt: (name, at) => `Cut around ${name}, ${at}`,
      /** @type {Saying<[string, string]>} */
      jump: (name, at) => `Show ${name}, ${at}`,
      unnamed: 'the marker',
      delete: 'Delete',
      /** @type {Saying<[string, string]>} */
      deleteIt: (name, at) => `Delete ${name}, ${at}`,
      deleted: 'Deleted.',
      /** @type {Saying<[string]>} */
      by: (who) => `by ${who},`,
      keptUntil: 'kept until',
    },
    capture: {
      heading: 'Capture',
      title: 'Title',
      titleHint: 'What is it? (optional)',
      cut: 'What it keeps',
      cuts: {
        precise: { name: 'Precise', hint: 'What you see. Up to a segment before it is in the file, hidden.' },
        segment: { name: 'Whole segments', hint: 'A second or two more on both sides.' },
        exact: { name: 'Exact', hint: 'Nothing but the selection: its ends are encoded anew.' },
      },
      gaps: 'Gaps in it',
      gapsTold: {
        skip: { name: 'Leave out', hint: 'The clip is shorter by them.' },
        keep: { name: 'Keep their time', hint: 'A still picture, without sound.' },
      },
      postRoll: 'Seconds after the end',
      /** @type {Saying<[number]>} */
      postRollHint: (most) => `at most ${most}`,
      untilNow: 'the moment you press Capture',
      /** @type {Saying<[string, string, string, { open: boolean, roll: number }]>} */
      summary: (from, to, long, { open, roll }) =>
        `${from} to ${to}${roll ? ` and ${roll} s more` : ''}${open ? '' : ` (${long})`}`,
      /** @type {Saying<[string, string]>} */
      startsLater: (by, most) =>
        `It starts ${by} later than the selection: a clip can be ${most} long at most.`,
      /** @type {Saying<[string, boolean]>} */
      lost: (stretch, all) =>
        all
          ? 'All of the selection is no longer kept. Select something newer.'
          : `${stretch} of the selection are no longer kept: the clip will be shorter.`,
      submit: 'Capture',
      sending: 'Asking…',
      again: 'The answer was lost. Asking again…',
      unknownOutcome: 'The service can’t be reached. Press Capture again: it never makes two of the same.',
    },
    jobs: {
      title: 'Captures',
      none: 'What you capture appears here.',
      untitled: 'Untitled',
      /** @type {Saying<[string]>} */
      progress: (title) => `Progress of ${title}`,
      cuts: { precise: 'precise', segment: 'whole segments', exact: 'exact' },
      stages: {
        queued: 'In the queue…',
        waiting: 'Waiting for the moment to arrive…',
        ready: 'Ready.',
        cancelled: 'Cancelled.',
        lost: 'This capture is not known any more.',
      },
      running: {
        copying: 'Copying…',
        encoding: 'Encoding…',
        finishing: 'Checking…',
        'waiting for storage': 'Waiting for the storage of clips…',
      },
      /** @type {Saying<[string]>} */
      failed: (detail) => `It could not be made: ${detail}`,
      deleted: 'The clip was deleted.',
      cancel: 'Cancel',
      /** @type {Saying<[string]>} */
      dismiss: (title) => `Take ${title} off this list`,
      dismissShort: 'Take off this list',
      /** @type {Saying<[string]>} */
      video: (title) => `The clip ${title}`,
      requested: 'Asked for',
      delivered: 'Delivered',
      tailLag: 'Missing at the end',
      hidden: 'Hidden before the start',
      /** @type {Saying<[string]>} */
      seconds: (seconds) => `${seconds} s`,
      size: 'Size',
      gaps: 'Gaps',
      kept: 'its time is kept',
      open: 'Open in Clips',
      download: 'Download',
    },
    failures: {
      'nothing-recorded': 'Nothing was recorded in this part. Select another one.',
      'segment-changed': 'A piece of the media is gone from the disk. Try again with a part of it.',
      'sizes-differ': 'The picture changed its size in this part. Capture it with the exact cut, or select less.',
      'verification-failed': 'The file was not what it was meant to be, and was thrown away. Try again.',
      'ffmpeg-failed': 'The exact cut could not be made. Try again, or try the precise cut.',
      'ffmpeg-missing': 'An exact cut can’t be made here. Try the precise cut, or tell whoever runs the service.',
      'ffmpeg-stalled': 'The exact cut got no further and was given up. Try again, or try the precise cut.',
      'media-deleted': 'A part of it was deleted while it was made. Capture what is left.',
      'gave-up': 'It was begun several times and never came to an end. Try the other cut.',
      'storage-full': 'The disk is full. Delete clips, or tell whoever runs the service.',
    },
    keys: [
      ['Space', 'Play, pause'],
      ['I', 'The selection begins at the moment shown'],
      ['O', 'The selection ends at the moment shown'],
      ['← →', '1 second back, on; with Shift 10'],
      [', .', 'One picture back, on'],
      ['L', 'Loop'],
      ['M', 'Mark now; with Shift the moment shown'],
      ['1 – 5', 'Select the last 30 s, 1, 2, 5, 10 min'],
      ['Tab', 'To the handles: arrows, comma, full stop, Page, Home and End move them'],
    ],
  },
  library: {
    /** @type {Saying<[string, string]>} */
    untitled: (who, when) => `${who} at ${when}`,
    copyByHand: 'The browser lets no page copy here. It is selected: press Ctrl+C.',
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
      /** @type {Saying<[number, boolean, number | null]>} */
      count: (count, all, limitedTo) => {
        const clips = `${count} ${count === 1 ? 'clip' : 'clips'}`;
        if (limitedTo) return `${clips}, of the newest ${limitedTo} that fit`;
        return all ? clips : `${clips}, and there are more`;
      },
      nothing: 'There are no clips yet. Open a live share and capture the moment: it is kept here.',
      nothingFits: 'No clip fits these filters.',
      clear: 'Clear the filters',
      toLive: 'See what is live',
    },
    filters: {
      form: 'Filter the clips',
      title: 'Title',
      titleHint: 'Any words',
      room: 'Room',
      anyRoom: 'Any room',
      owner: 'Whose',
      everybody: 'All that I may see',
      mine: 'Mine',
      when: 'Made',
      times: { '': 'At any time', day: 'In the last 24 hours', week: 'In the last 7 days', month: 'In the last 30 days', dates: 'Between two days' },
      since: 'From',
      until: 'To',
      sort: 'Order',
      orders: { '': 'Newest first', oldest: 'Oldest first', largest: 'Largest first', title: 'By title' },
    },
    quota: {
      name: 'Quota',
      loading: 'How much room there is for clips…',
      /** @type {Saying<[string, string, string]>} */
      used: (used, whole, free) => `${used} of ${whole} used, ${free} free.`,
      /** @type {Saying<[string]>} */
      reserved: (size) => `${size} held for captures on their way.`,
      near: 'Nearly full: delete what you don’t need, or ask for a larger quota.',
      full: 'Full: nothing can be captured until you delete clips, or get a larger quota.',
    },
    selection: {
      name: 'Selected clips',
      choose: 'Select',
      /** @type {Saying<[number]>} */
      count: (count) => (count ? `${count} selected` : 'None selected'),
      delete: 'Delete',
      all: 'Select all shown',
      done: 'Done',
    },
    deleting: {
      /** @type {Saying<[string]>} */
      one: (name) => `“${name}” is deleted.`,
      /** @type {Saying<[number]>} */
      several: (count) => `${count} clips are deleted.`,
      undo: 'Undo',
      /** @type {Saying<[number, number]>} */
      restored: (count, all) =>
        count < all ? `${count} of ${all} clips are back.` : all === 1 ? 'The clip is back.' : `${all} clips are back.`,
      /** @type {Saying<[number, string]>} */
      notRestored: (count, why) =>
        `${count === 1 ? 'A clip stays' : `${count} clips stay`} deleted. ${why}`,
    },
    rename: { button: 'Rename', label: 'Title', save: 'Save' },
    film: {
      /** @type {Saying<[string]>} */
      name: (title) => `The clip ${title}`,
      strip: 'Parts of the clip',
      /** @type {Saying<[string]>} */
      seek: (at) => `Play from ${at}`,
      preparing: 'Preparing…',
      broken: 'The clip can’t be played. It may have been deleted, or the connection is lost: reload the page.',
    },
    link: {
      copy: 'Copy link',
      /** @type {Saying<[string]>} */
      copyOf: (name) => `Copy link to ${name}`,
      /** @type {Saying<[string]>} */
      copied: (end) => `Link copied. Anyone with the link can watch. It expires ${end}.`,
      copiedPlain: 'Link copied. Anyone with the link can watch.',
      label: 'Link to the clip',
      instead: {
        title: 'Share by link?',
        explain: 'Anyone with the link can watch. People who were in this call no longer find the clip in their list.',
        submit: 'Copy link',
      },
      byHand: {
        title: 'Copy this link',
        explain: 'Your browser blocks copying here. Press Ctrl+C. Anyone with the link can watch.',
        submit: 'Done',
      },
      /** @type {Saying<[number]>} */
      views: (views) => (views === 1 ? '1 view' : `${views} views`),
    },
    audience: {
      legend: 'Who can watch',
      short: { private: 'Private', room: 'Room', link: 'Link' },
      names: { private: 'Private', room: 'Room', link: 'Link' },
      explain: {
        private: 'Only you and admins',
        room: 'People who were in this call',
        link: 'Anyone with the link',
      },
      chosen: {
        private: 'Only you and admins can watch.',
        room: 'People who were in this call can watch.',
        link: 'Anyone with the link can watch.',
      },
      link: 'Link to the clip',
      holds: 'Link expires',
      extend: 'Expires in…',
      /** @type {Saying<[number]>} */
      days: (count) => (count === 1 ? '1 day' : count === 365 ? 'a year' : `${count} days`),
      shows: 'The page shows',
      tells: { who: 'who', when: 'when' },
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
        private: 'The chat is asked to post it. The clip stays private: others see it only as far as the chat shows it to them.',
        room: 'The chat is asked to post it. Who may see the clip stays as it is.',
        link: 'The chat is asked to post it. Who may see the clip stays as it is.',
      },
      channel: 'Channel',
      text: 'Message',
      placeholder: '🎬 Replay captured',
      submit: 'Share',
      /** @type {Saying<[string]>} */
      sent: (channel) => `It is on its way to ${channel}.`,
    },
    details: {
      dialog: 'Clip',
      page: 'Open as a page',
      close: 'Close',
      back: '← All clips',
      download: 'Download',
      keep: 'Keep',
      keptNow: 'Kept: the clip doesn’t expire.',
      notKeptNow: 'No longer kept: the clip expires as others do.',
      share: 'Share to channel',
      delete: 'Delete',
      facts: 'What the clip holds',
      /** @type {Saying<[string]>} */
      othersClip: (owner) => `This is ${owner}’s clip. You may watch and download it.`,
      gone: 'The clip is deleted.',
    },
    life: {
      kept: 'Kept',
      /** @type {Saying<[string]>} */
      expires: (when) => `Expires ${when}`,
    },
    facts: {
      requested: 'Asked for',
      delivered: 'Delivered',
      tail: 'Missing at the end',
      /** @type {Saying<[string]>} */
      tailMissing: (seconds) => `${seconds} s: that media was not there yet`,
      /** @type {Saying<[string]>} */
      tailLeans: (seconds) =>
        `${seconds} s: pictures at the end that lean on later ones were left out; an exact cut has them`,
      gaps: 'Gaps',
      /** @type {Saying<[string, string, boolean]>} */
      gap: (long, why, kept) => `${long}: ${why}${kept ? ', the picture stands still' : ', left out'}`,
      gapWords: {
        'no-picture': 'nothing new on the screen',
        lost: 'segments were lost',
        'not-recorded': 'nothing was recorded',
        'not-present': 'you were not in the room',
      },
      notes: 'Notes',
      noteWords: {
        'start-clamped': 'The buffer begins later than you asked.',
        'end-clamped': 'The media ends earlier than you asked.',
        'share-ended': 'The share was over, so it was counted back from its end.',
        'clock-approximate': 'The times are up to 2 s off.',
        'permission-ended': 'It ends where you were no longer permitted to capture it.',
        'while-present': 'It holds what happened while you were in the room.',
      },
      hidden: 'Hidden beginning',
      /** @type {Saying<[string]>} */
      hiddenHead: (seconds) => `${seconds} s before the first picture are in the file; players skip them`,
      whose: 'Screen of',
      room: 'Room',
      owner: 'Captured by',
      made: 'Made',
      life: 'Expires',
      kept: 'Never: it is kept',
      forever: 'Never',
      picture: 'Picture',
      sound: 'with sound',
      silent: 'without sound',
      cut: 'Cut',
      cuts: {
        precise: 'On the asked frame, copied',
        segment: 'Whole segments, copied',
        exact: 'On the asked frame, nothing else in the file',
      },
      clock: 'Clock',
      clocks: { exact: 'Exact', approximate: 'Up to 2 s off' },
      size: 'Size',
      checksum: 'Checksum',
      noChecksum: 'On its way',
      copyChecksum: 'Copy the checksum',
      copy: 'Copy',
      copied: 'The checksum is copied.',
    },
  },
  admin: {
    title: 'Administration',
    tabs: {
      shares: 'Active shares',
      communities: 'Communities',
      people: 'People',
      deliveries: 'Deliveries',
      audit: 'Audit',
      instance: 'Instance',
    },
    nobody: 'You administrate nothing here. An administrator of your community, or of the instance, can change that.',
    /** @type {Saying<[string]>} */
    notYours: (tab) => `“${tab}” is for administrators of the instance.`,
    listing: {
      loading: 'Loading…',
      more: 'Show more',
      again: 'Try again',
      /** @type {Saying<[number, boolean]>} */
      count: (count, all) => (all ? `${count} in all` : `${count} shown, and there are more`),
    },
    shares: {
      title: 'Active shares',
      columns: ['Who', 'Room', 'State', 'Kept', 'Since', ''],
      filter: 'State',
      all: 'All states',
      /** @type {Saying<[number, number]>} */
      count: (all, recording) => `${all} ${all === 1 ? 'share' : 'shares'}, ${recording} recorded now`,
      /** @type {Saying<[string]>} */
      upTo: (clock) => `up to ${clock}`,
      nothing: 'Nobody shares a screen now.',
      nothingFits: 'No share is in this state.',
      stop: 'Stop',
      /** @type {Saying<[string]>} */
      stopOf: (who) => `Stop recording ${who}`,
      resume: 'Resume',
      /** @type {Saying<[string]>} */
      resumeOf: (who) => `Resume recording ${who}`,
    },
    communities: {
      title: 'Communities',
      columns: ['Community', 'Recording', 'Shares', 'Who may', 'Whose share', 'Kept for', 'Members'],
      nothing: 'There are no communities.',
      on: 'On',
      off: 'Off',
      /** @type {Saying<[number, number]>} */
      slots: (active, most) => `${active} of ${most}`,
      /** @type {Saying<[number]>} */
      minutes: (minutes) => `${minutes} min`,
      back: '← All communities',
      rules: 'Rules',
      enabled: 'Record shares in this community',
      names: {
        max_concurrent: 'Shares recorded at once',
        max_concurrent_per_user: 'Of them of one user',
        access: 'Who may record and capture',
        capture_policy: 'Whose share may be captured',
        retention_minutes: 'Minutes that are kept',
      },
      hints: {
        enabled: 'Off: what is recorded now ends, and nothing new begins.',
        /** @type {Saying<[number]>} */
        max_concurrent: (most) => `More wait until one ends. 0 to ${most}.`,
        /** @type {Saying<[number]>} */
        max_concurrent_per_user: (most) => `However many devices they share from. 1 to ${most}.`,
        access: 'Roles: only moderators, admins, and those with a grant.',
        capture_policy: 'Besides one’s own. Admins of a room capture there, whatever the policy.',
        /** @type {Saying<[number]>} */
        retention_minutes: (most) => `How far back one can go. More than 0, at most ${most}.`,
      },
      access: { open: 'Everybody', rbac: 'By role or grant' },
      policies: {
        self: 'Only one’s own',
        room: 'Of those one was in the room with',
        role: 'Everybody’s, by role or grant',
      },
      adminsOnly: 'Only an admin of the community changes this.',
      asInstance: 'As the instance has it',
      /** @type {Saying<[string]>} */
      asInstanceNow: (value) => `As the instance has it: ${value}`,
      save: 'Save',
      saved: 'Saved. The rules act at once.',
    },
    members: {
      title: 'Members',
      columns: ['Who', 'Role', 'Grants', ''],
      nothing: 'Nobody has a role or grants of their own here.',
      search: 'Find a member',
      identity: 'Identity',
      role: 'Role',
      roles: { member: 'Member', moderator: 'Moderator', admin: 'Admin' },
      grantsTitle: 'Single grants',
      grants: {
        enable_replay_buffer: 'Be recorded',
        capture_replay: 'Capture and watch',
        manage_community_replay_config: 'Manage limits',
      },
      add: 'Add a member',
      change: 'Change',
      /** @type {Saying<[string]>} */
      changeOf: (who) => `Change ${who}`,
      save: 'Save',
      /** @type {Saying<[string]>} */
      saved: (who) => `${who} has the role and the grants now.`,
      remove: 'Remove',
      /** @type {Saying<[string]>} */
      removeOf: (who) => `Remove ${who}`,
      /** @type {Saying<[string]>} */
      removeTitle: (who) => `Remove ${who}?`,
      removeExplain: 'They keep only what everybody may do. What they have captured stays theirs.',
      /** @type {Saying<[string]>} */
      removed: (who) => `${who} has no role here any more.`,
    },
    people: {
      title: 'People',
      columns: ['Who', 'Used', 'Quota', ''],
      nothing: 'Nobody has clips, or a quota of their own.',
      search: 'Find somebody',
      /** @type {Saying<[string, string]>} */
      used: (used, reserved) => (reserved ? `${used}, and ${reserved} held for captures` : used),
      identity: 'Identity',
      gigabytes: 'Gigabytes',
      asInstance: 'As the instance has it',
      explain: 'Below what is used, new captures are refused. Nothing is deleted.',
      add: 'Set somebody’s quota',
      change: 'Set quota',
      /** @type {Saying<[string]>} */
      changeOf: (who) => `Set quota of ${who}`,
      save: 'Save',
      /** @type {Saying<[string, string]>} */
      saved: (who, quota) => `${who} has a quota of ${quota} now.`,
    },
    deliveries: {
      title: 'Deliveries',
      columns: ['Event', 'Room', 'Of', 'Attempts', 'Last error', ''],
      which: 'Which events',
      states: { dead: 'Given up', pending: 'On their way' },
      explain: {
        dead: 'Nobody took these for a day. See that EVENTS_URL and EVENTS_TARGETS answer, then send them again.',
        pending: 'These are tried again and again, for a day.',
      },
      nothing: { dead: 'No event was given up.', pending: 'No event is on its way.' },
      events: {
        buffer_started: 'Recording began',
        buffer_ended: 'Recording ended',
        buffer_refused: 'Recording refused',
        capture_ready: 'Capture ready',
        capture_failed: 'Capture failed',
        clip_shared: 'Clip shared',
        quota_exceeded: 'Quota used up',
      },
      again: 'Send again',
      /** @type {Saying<[string, string]>} */
      againOf: (event, room) => `Send again: ${event}, ${room}`,
      sent: 'It is on its way again.',
      /** @type {Saying<[string]>} */
      nextTry: (when) => `next try ${when}`,
    },
    audit: {
      title: 'Audit',
      columns: ['When', 'Who', 'Did', 'What', 'Room', 'More'],
      nothing: 'Nothing fits, or nothing has happened yet.',
      service: 'the service',
      anyAction: 'Anything',
      filters: { done_by: 'Who', action: 'Did', subject: 'What', since: 'From', until: 'To' },
      actions: {
        captured: 'Captured',
        clip_changed: 'Changed a clip',
        clip_deleted: 'Deleted a clip',
        clip_restored: 'Restored a clip',
        clip_shared: 'Shared a clip',
        clip_expired: 'Deleted a clip whose time was over',
        buffer_forgotten: 'Deleted what was kept of a share',
        opted_out: 'Opted out of recording',
        recording_stopped: 'Stopped a recording',
        recording_resumed: 'Resumed a recording',
        community_configured: 'Changed a community’s rules',
        room_assigned: 'Assigned a room to a community',
        room_released: 'Took a room from a community',
        member_set: 'Gave a role',
        member_removed: 'Took a role away',
        quota_set: 'Set a quota',
        quota_repaired: 'Repaired a quota',
        event_sent_again: 'Sent an event again',
        sessions_ended: 'Ended somebody’s sessions',
        signed_out_everywhere: 'Signed out everywhere',
      },
    },
    instance: {
      title: 'Instance',
      checks: 'Checks',
      history: 'The last hour',
      again: 'Look again',
      fine: 'Everything that was checked is in order.',
      /** @type {Saying<[number]>} */
      bad: (count) => `${count} ${count === 1 ? 'check fails' : 'checks fail'}: see what to do below.`,
      checkedAt: 'Checked at',
      levels: { ok: 'In order', warn: 'Take care', unknown: 'Not known', fail: 'Fails' },
      /** @type {Saying<[number]>} */
      seconds: (value) => `${value < 10 ? Math.round(value * 100) / 100 : Math.round(value)} s`,
      quantities: {
        free_disk_bytes: 'Free disk',
        buffered_bytes: 'Buffered media',
        clips_bytes: 'Clips',
        media_lag_seconds: 'Media lag',
        index_lag_seconds: 'Index lag',
        active_sessions: 'Active sessions',
      },
    },
    plot: {
      at: 'At',
      value: 'Value',
      asTable: 'As a table',
      nothing: 'Nothing was measured yet.',
      notMeasured: 'not measured',
      /** @type {Saying<[string, string]>} */
      valueAt: (clock, value) => `${clock}: ${value}`,
      /** @type {Saying<[string, string, string, string]>} */
      summary: (least, leastAt, most, mostAt) => `Least ${least} at ${leastAt}, most ${most} at ${mostAt}.`,
    },
  },
};

/** @param {Facts} problem */
const left = ({ quota_bytes, used_bytes, reserved_bytes }) => Math.max(0, quota_bytes - used_bytes - reserved_bytes);

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
