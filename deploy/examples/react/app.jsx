// An app of LiveKit's React components. What replay needs is in ClipThat.

import '@livekit/components-styles';
import {
  Chat,
  LiveKitRoom,
  RoomAudioRenderer,
  TrackToggle,
  formatChatMessageLinks,
  useChat,
  useRoomContext,
} from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { attach } from 'replay-kit';

const config = await (await fetch('./config.json')).json();
const sound = { audio: true };
const token = async () => (await fetch(`./token${location.search || '?name=guest'}`)).text();

/** The badge, the button and the way out. A clip's link is posted in the chat. */
function ClipThat() {
  const room = useRoomContext();
  const { send } = useChat();
  const [replay, setReplay] = useState(null);
  const [out, setOut] = useState(false);
  const [problem, setProblem] = useState('');

  useEffect(() => {
    const attached = attach(room, { token, url: config.replay });
    const look = () => setOut(attached.optedOut);
    setReplay(attached);
    look();
    attached.onChange(look);
    return () => attached.close();
  }, [room]);

  const optOut = async (wanted) => {
    const { ok, error } = await replay.optOut(wanted);
    setProblem(ok ? '' : error.detail);
  };

  return (
    <>
      <replay-badge replay={replay} />
      <replay-clip-button
        replay={replay}
        last="30"
        hotkey="alt+c"
        onreplay-clip={({ detail }) => detail.link && void send(detail.link)}
      />
      <label>
        <input
          type="checkbox"
          checked={out}
          disabled={!replay}
          onChange={({ target }) => void optOut(target.checked)}
        />{' '}
        Do not record me
      </label>
      <output>{problem}</output>
    </>
  );
}

function App() {
  const [joined, setJoined] = useState(null);
  useEffect(() => void token().then(setJoined), []);
  return (
    <LiveKitRoom serverUrl={config.livekit} token={joined ?? undefined} connect={joined !== null} data-lk-theme="default">
      <div className="bar">
        <TrackToggle source={Track.Source.ScreenShare} captureOptions={sound}>
          Share your screen
        </TrackToggle>
        <ClipThat />
      </div>
      <Chat messageFormatter={formatChatMessageLinks} />
      <RoomAudioRenderer />
    </LiveKitRoom>
  );
}

createRoot(document.getElementById('app')).render(<App />);
