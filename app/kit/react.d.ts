/** The elements in TSX, for React 19: `import type {} from 'replay-kit/react';` in one file of the app. */

import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { Replay, ReplayClipButton, ReplayElement } from './replay.js';

type Told<Name extends keyof GlobalEventHandlersEventMap> = (event: GlobalEventHandlersEventMap[Name]) => void;

type Props<Element extends ReplayElement, Own> = DetailedHTMLProps<HTMLAttributes<Element>, Element> &
  Own & { replay?: Replay | null };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'replay-clip-button': Props<
        ReplayClipButton,
        {
          last?: number | string;
          label?: string;
          hotkey?: string;
          'clip-title'?: string;
          sharer?: string;
          private?: boolean;
          'onreplay-progress'?: Told<'replay-progress'>;
          'onreplay-clip'?: Told<'replay-clip'>;
          'onreplay-error'?: Told<'replay-error'>;
        }
      >;
      'replay-badge': Props<ReplayElement, { identity?: string }>;
      'replay-clip': Props<ReplayElement, { src?: string; 'clip-id'?: string; 'onreplay-error'?: Told<'replay-error'> }>;
    }
  }
}
