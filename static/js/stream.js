// Keeps a page at the database's truth: by a socket, or by polling where there can be
// none; it never gives up, unless the server says that access has ended. It knows
// nothing of what the frames mean.
//
// One way to recover, whatever happened: connect again with ?after=<last revision>.
import { getJSON, NoAnswer, Refusal } from "./api.js";
import { isOld, stateOf, untilChange } from "./freshness.js";
import { Polling } from "./polling.js";
import { Socket } from "./socket.js";
import { Age, jittered } from "./timing.js";

const TICK_MS = 1_000;
const SLEPT_MS = 3_000; // between two ticks
const TRUSTED_MS = 5_000; // a connection silent for longer is not asked if it still lives
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 15_000;
const LONGEST_RESTART_MS = 30_000;
const SOCKET_AGAIN_MS = 30_000;
const FRUITLESS_ENOUGH = 3;
const CLOSED_RESTARTING = 1012;
const CLOSED_FORBIDDEN = 4403;
const REFUSED = [401, 403, 404];

export class Stream {
  // path: of the socket. probe: an address that answers 401, 403 or 404 when access has
  // ended, because a browser does not tell a page why a handshake was refused.
  // poll(after): the frames of one poll (polling.js); after is null for all of it.
  // after: the revision that the page shows; null where there are none.
  // onFrame(frame), onState(state, since): since is a Date once the page is to say it.
  // isShown(): whether the page shows what the frames have said so far; one that needs
  // a moment for it calls confirm() afterwards.
  constructor({ path, probe, poll, after = null, onFrame, onState, isShown = () => true }) {
    Object.assign(this, { path, probe, after, onFrame, onState, isShown });
    this.known = new Age();
    this.looked = new Age();
    this.source = null;
    this.ended = false;
    this.isFirst = true;
    this.attempts = 0;
    // Connections in a row that brought nothing, although plain HTTP was answered.
    this.fruitless = 0;
    this.polling = new Polling({
      frames: () => poll(this.source === "polling" ? this.after : null),
      onFrame: (frame) => this.receive(frame, "polling"),
      onFailure: (status) => this.pollFailed(status),
    });
  }

  start() {
    // A laptop that wakes up, a phone that is taken out of the pocket.
    const wake = () => document.visibilityState === "visible" && this.wake();
    document.addEventListener("visibilitychange", wake);
    document.addEventListener("resume", wake);
    window.addEventListener("online", wake);
    window.addEventListener("pageshow", (event) => event.persisted && wake());
    // Leaving frees the server at once; coming back through the cache reconnects.
    window.addEventListener("pagehide", () => this.disconnect());
    this.connect();
    this.look();
  }

  connect() {
    clearTimeout(this.retryTimer);
    this.socket?.drop();
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.after !== null) url.searchParams.set("after", this.after);
    const socket = (this.socket = new Socket(url, {
      onOpen: () => this.look(),
      onFrame: (frame) => this.receive(frame, "socket"),
      onEnd: (how) => this.lost(socket, how),
    }));
  }

  receive(frame, source) {
    if (source === "socket" && this.polling.active) {
      this.polling.stop();
      this.source = null;
    }
    if (frame.type !== "error") this.apply(frame, source);
    this.look();
  }

  apply(frame, source) {
    const { type, revision } = frame;
    const isMessage = type !== "snapshot" && type !== "heartbeat";
    if (this.after !== null && type !== "snapshot") {
      if (isMessage && revision <= this.after) return;
      if (revision !== this.after + Number(isMessage)) {
        this.doubt();
        return;
      }
    }
    this.onFrame(frame);
    if (this.after !== null) this.after = revision;
    // The first of several messages does not bring the page up to date yet.
    if (!isMessage || this.source === source) this.prove(source);
    else if (source === "socket" && this.socket.asked !== "ping") this.socket.ask({ type: "ping" });
  }

  prove(source) {
    if (source === "socket") {
      this.socket.asked = null;
      this.attempts = this.fruitless = 0;
    }
    this.source = this.isShown() ? source : null;
    if (!this.source) return;
    this.isFirst = false;
    this.known.reset();
  }

  // For a page that has caught up with the frames by itself: is that all by now?
  confirm() {
    if (this.polling.active) this.polling.poll();
    else this.socket?.ask({ type: "ping" });
  }

  // Something is missing: asked for once, and again on a new connection if need be.
  doubt() {
    this.source = null;
    if (this.socket?.asked !== "resync") this.socket?.ask({ type: "resync", after: this.after });
  }

  lost(socket, { code, reason }) {
    this.socket = null;
    if (this.source === "socket") this.source = null;
    this.look();
    if (code === CLOSED_FORBIDDEN) {
      this.end();
      return;
    }
    if (code === CLOSED_RESTARTING && /^\d+$/.test(reason)) {
      this.connectIn(Math.min(LONGEST_RESTART_MS, Number(reason)));
      return;
    }
    if (!socket.spoke) this.findOutWhy();
    const most = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.attempts++);
    this.connectIn(jittered(this.polling.active ? SOCKET_AGAIN_MS : most));
  }

  connectIn(ms) {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), ms);
  }

  // Why a connection brought nothing: refused, no sockets here, or no network?
  async findOutWhy() {
    try {
      await getJSON(this.probe);
      this.fruitless += 1;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      if (REFUSED.includes(error.status)) this.end();
    }
    if (this.fruitless < FRUITLESS_ENOUGH || this.ended || this.polling.active) return;
    this.polling.start();
    if (!this.socket) this.connectIn(jittered(SOCKET_AGAIN_MS));
  }

  pollFailed(status) {
    this.source = null;
    if (REFUSED.includes(status)) this.end();
    this.look();
  }

  // Right again within one round trip: what has been silent for long is not waited for.
  wake() {
    if (this.ended) return;
    if (this.known.ms > TRUSTED_MS) {
      this.source = null;
      if (this.polling.active) this.polling.poll();
    }
    if (this.source === "socket") this.socket.ask({ type: "ping" });
    else if (!this.socket || this.socket.quiet.ms > TRUSTED_MS) this.connect();
    this.look();
  }

  // Says how the page is, and sees to whatever has been silent for too long.
  look() {
    const slept = this.looked.ms > TICK_MS + SLEPT_MS;
    this.looked.reset();
    this.show();
    if (this.ended) return;
    if (slept && document.visibilityState === "visible") this.wake();
    if (this.socket?.msLeft <= 0) this.socket.end();
    const waits = [TICK_MS, untilChange(this.known.ms), this.socket?.msLeft ?? TICK_MS];
    clearTimeout(this.lookTimer);
    this.lookTimer = setTimeout(() => this.look(), Math.max(0, Math.min(...waits)));
  }

  show() {
    const facts = {
      ended: this.ended,
      source: this.source,
      age: this.known.ms,
      connected: Boolean(this.socket?.opened),
      isFirst: this.isFirst,
    };
    const state = stateOf(facts);
    const old = isOld(facts);
    if (state === this.state && old === this.old) return;
    Object.assign(this, { state, old });
    this.onState(state, old ? new Date(Date.now() - facts.age) : null);
  }

  disconnect() {
    clearTimeout(this.retryTimer);
    this.socket?.drop();
    this.socket = null;
    this.polling.stop();
    if (!this.ended) this.source = null;
  }

  end() {
    this.disconnect();
    this.ended = true;
    this.look();
  }
}
