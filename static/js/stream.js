// The connection to a live stream: a small state machine that never gives up, unless
// the server says that access has ended. It knows nothing of what the frames mean.
//
//   connecting → live ⇄ reconnecting → stale → live …        ended
//
// `reconnecting` is a gap that nobody needs to worry about yet; `stale` says since when
// the page may be out of date. Resync is reconnecting with ?after=<last revision>: the
// one way to recover, whatever happened.

const SILENCE_MS = 12_500; // the server promises a heartbeat every 10 s at least
const STALE_AFTER_MS = 6_000;
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 15_000;
const CLOSED_FORBIDDEN = 4403;
const REFUSED = [401, 403, 404];

export class Stream {
  // path: of the socket. probe: an address that answers 401, 403 or 404 when access has
  // ended, because a browser does not tell a page why a handshake was refused.
  // onFrame(frame), onState(state, since): since is when the last frame came.
  constructor({ path, probe, after = null, onFrame, onState }) {
    Object.assign(this, { path, probe, after, onFrame, onState });
    this.state = null;
    this.attempts = 0;
    this.lastFrameAt = Date.now();
    // A laptop that wakes up, a phone that is taken out of the pocket.
    const look = () => document.visibilityState === "visible" && this.wake();
    document.addEventListener("visibilitychange", look);
    window.addEventListener("online", look);
    window.addEventListener("pageshow", (event) => event.persisted && look());
    // Leaving frees the server at once; coming back through the cache reconnects.
    window.addEventListener("pagehide", () => this.socket?.close());
  }

  start() {
    this.setState("connecting");
    this.watchAge();
    this.connect();
  }

  connect() {
    clearTimeout(this.retryTimer);
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.after !== null) url.searchParams.set("after", this.after);
    const socket = (this.socket = new WebSocket(url));
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.watch();
    };
    socket.onmessage = ({ data }) => socket === this.socket && this.receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (socket !== this.socket) return;
      if (code === CLOSED_FORBIDDEN) this.end();
      else this.lost(opened);
    };
    // A handshake that never answers is silence, too.
    this.watch();
  }

  receive(frame) {
    this.lastFrameAt = Date.now();
    this.attempts = 0;
    this.watch();
    clearTimeout(this.ageTimer);
    this.setState("live");
    if (frame.type === "error") return;
    // A hole cannot be; if it is, the whole picture is asked for again.
    const message = !["snapshot", "heartbeat"].includes(frame.type);
    if (message && this.after !== null) {
      if (frame.revision <= this.after) return;
      if (frame.revision > this.after + 1) {
        this.socket.send(JSON.stringify({ type: "resync", after: this.after }));
        return;
      }
    }
    this.onFrame(frame);
    if (this.after !== null && frame.revision !== undefined && frame.type !== "heartbeat") {
      this.after = frame.revision;
    }
  }

  // The watchdog: whatever comes in sets it back.
  watch() {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.reconnectNow(), SILENCE_MS);
  }

  // Without a connection the page is out of date once the last frame is so old.
  watchAge() {
    clearTimeout(this.ageTimer);
    const left = this.lastFrameAt + STALE_AFTER_MS - Date.now();
    this.ageTimer = setTimeout(() => this.setState("stale"), Math.max(0, left));
  }

  async lost(opened) {
    clearTimeout(this.silenceTimer);
    this.disconnected();
    const socket = this.socket;
    if (!opened && (await this.isRefused())) {
      this.end();
      return;
    }
    if (socket !== this.socket || this.state === "ended") return;
    const most = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.attempts++);
    // Half fixed, half random: a hall of pages does not come back in one instant.
    this.retryTimer = setTimeout(() => this.connect(), most * (0.5 + Math.random() / 2));
  }

  disconnected() {
    if (this.state !== "live") return;
    this.setState("reconnecting");
    this.watchAge();
  }

  async isRefused() {
    try {
      const response = await fetch(this.probe, { headers: { Accept: "application/json" } });
      return REFUSED.includes(response.status);
    } catch {
      return false; // no network: that is no refusal
    }
  }

  wake() {
    if (this.state === "ended") return;
    if (this.state !== "live" || Date.now() - this.lastFrameAt > STALE_AFTER_MS * 2) {
      this.reconnectNow();
    }
  }

  reconnectNow() {
    const old = this.socket;
    this.socket = null;
    old?.close();
    this.disconnected();
    this.connect();
  }

  end() {
    clearTimeout(this.silenceTimer);
    clearTimeout(this.retryTimer);
    clearTimeout(this.ageTimer);
    this.setState("ended");
  }

  setState(state) {
    if (state === this.state || this.state === "ended") return;
    this.state = state;
    this.onState(state, new Date(this.lastFrameAt));
  }
}
