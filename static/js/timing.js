// Time as the live pages need it: how old something is, and how long to wait.

// How long ago something was, by the clock that says longer. The wall clock can be set
// back, and the steady one may stand still while a laptop sleeps; neither may make the
// page believe that it is current.
export class Age {
  constructor() {
    this.reset();
  }

  reset() {
    this.wall = Date.now();
    this.steady = performance.now();
  }

  get ms() {
    return Math.max(Date.now() - this.wall, performance.now() - this.steady);
  }
}

// Half fixed, half random: a hall of pages does not come back in one instant.
export function jittered(ms) {
  return ms * (0.5 + Math.random() / 2);
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
