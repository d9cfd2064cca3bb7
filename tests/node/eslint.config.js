// What is a fault in the console's modules and in their tests, however it is formatted.

import { createRequire } from 'node:module';

// The packages of the lock beside this file are where tests/npm.py puts them.
const require = createRequire(new URL('../../.run/node/', import.meta.url));
const js = require('@eslint/js');

const readonly = 'readonly';

const allow = (names) => Object.fromEntries(names.split(/\s+/).map((name) => [name, readonly]));

// Not all that a window has: `close`, `length`, `name`, `status`, `stop` and many more are globals, too,
// so that a forgotten import or parameter would be taken for one of them.
const ofPages = allow(
  'AbortController AbortSignal Blob BroadcastChannel CSS ClipboardItem CustomEvent DOMException Element Event EventTarget ' +
    'FormData HTMLElement HTMLInputElement Image IntersectionObserver MediaSource Node ResizeObserver TextDecoderStream TextEncoder URL URLSearchParams ' +
    'addEventListener btoa clearInterval clearTimeout console createImageBitmap crypto document fetch ' +
    'getSelection history location matchMedia navigator requestAnimationFrame scrollTo scrollY ' +
    'sessionStorage setInterval setTimeout',
);
const ofKit = allow(
  'AbortController AbortSignal CSSStyleSheet CustomEvent HTMLElement TextDecoder URL URLSearchParams clearTimeout ' +
    'console crypto customElements document fetch globalThis setTimeout',
);
const ofTests = allow(
  'AbortController AbortSignal BroadcastChannel Buffer CustomEvent DOMException Event EventTarget TextEncoder URL ' +
    'URLSearchParams clearTimeout console fetch globalThis process queueMicrotask setTimeout',
);

const faults = {
  ...js.configs.recommended.rules,
  'array-callback-return': 'error',
  eqeqeq: 'error',
  'no-constructor-return': 'error',
  'no-implied-eval': 'error', // the page's policy refuses it as it runs
  'no-self-compare': 'error',
  'no-shadow': 'error',
  'no-template-curly-in-string': 'error',
  'no-unmodified-loop-condition': 'error',
  'no-unreachable-loop': 'error',
  'no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true }],
  'no-var': 'error',
  'prefer-const': 'error',
  'prefer-promise-reject-errors': 'error',
};

export default [
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { files: ['app/console/static/**/*.js'], languageOptions: { globals: ofPages }, rules: faults },
  { files: ['app/kit/*.js'], languageOptions: { globals: ofKit }, rules: faults },
  { files: ['tests/node/**/*.js'], languageOptions: { globals: ofTests }, rules: faults },
];
