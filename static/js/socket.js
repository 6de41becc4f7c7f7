// One WebSocket, from its handshake to its end, which it reports once.
import { SILENCE_MS } from "./freshness.js";
import { Age } from "./timing.js";

const ANSWER_MS = 2_000;

export class Socket {
  // onOpen(), onFrame(frame), onEnd({code, reason}).
  constructor(url, { onOpen, onFrame, onEnd }) {
    this.onEnd = onEnd;
    this.opened = false;
    this.spoke = false;
    this.asked = null; // "ping" or "resync", until the answer is complete
    this.quiet = new Age();
    this.socket = new WebSocket(url);
    this.socket.onopen = () => {
      this.opened = true;
      this.quiet.reset();
      onOpen();
    };
    this.socket.onmessage = ({ data }) => {
      this.spoke = true;
      this.quiet.reset();
      onFrame(JSON.parse(data));
    };
    this.socket.onclose = ({ code, reason }) => this.end({ code, reason });
  }

  // A handshake that never answers is silence, too.
  get msLeft() {
    return (this.asked ? ANSWER_MS : SILENCE_MS) - this.quiet.ms;
  }

  ask(frame) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.asked = frame.type;
    this.quiet.reset();
    this.socket.send(JSON.stringify(frame));
  }

  // Gives it up without waiting for a close that may never come.
  end(how = { code: null, reason: "" }) {
    const { onEnd } = this;
    this.drop();
    onEnd(how);
  }

  // No word from it any more.
  drop() {
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.onEnd = () => {};
    this.socket.close();
  }
}
