// Every text of the page, in one place. A text that needs facts is a function of them.

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
    lost: 'The service can’t be reached. Trying again…',
    unknown: 'There is no such page.',
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
    refused: 'This token is not taken: it may have expired, or be of another server.',
  },
  problems: {
    unreachable: 'The service can’t be reached. Check your connection and try again.',
    unexpected: 'Something went wrong in this page. Reload it and try again.',
  },
  buffers: {},
  timeline: {},
  library: {},
  admin: {},
};

/** A text by its dotted name. */
export const text = (name) => name.split('.').reduce((part, key) => part[key], texts);
