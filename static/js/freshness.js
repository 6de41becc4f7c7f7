// What a page may say of itself: what it shows is the database's truth, or since when
// it is not. The whole state machine is here, without timers and without a network.
//
//   connecting → live ⇄ catching-up → stale → …      polling      ended
//
// `known` is the last moment at which the page was known to be right. `source` says by
// which way it is kept right since then: "socket", "polling", or null once there is any
// doubt: a lost connection, a hole in the sequence, a laptop that woke up.

export const SILENCE_MS = 12_500; // the server promises a heartbeat every 10 s at least
const GRACE_MS = 6_000; // a gap that nobody needs to worry about yet

//   source    age of `known`  a socket is open  →  state
//   socket    ≤ silence                            live
//   polling   ≤ silence                            polling
//   otherwise:
//             ≤ grace                              connecting at first, then catching-up
//             > grace         yes                  catching-up, and since when
//             > grace         no                   stale, and since when
//   Once access has ended it stays so.
export function stateOf({ ended, source, age, connected, isFirst }) {
  if (ended) return "ended";
  if (source && age <= SILENCE_MS) return source === "socket" ? "live" : "polling";
  if (age <= GRACE_MS) return isFirst ? "connecting" : "catching-up";
  return connected ? "catching-up" : "stale";
}

// Whether the page has to say since when.
export function isOld({ ended, age }) {
  return ended || age > GRACE_MS;
}

// How long until age alone changes the state.
export function untilChange(age) {
  const ahead = [GRACE_MS, SILENCE_MS].filter((limit) => limit >= age);
  return Math.min(...ahead.map((limit) => limit - age + 1));
}
