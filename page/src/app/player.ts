/** Time: how fast it passes on the wall, and when it stands still. */

import type { Show } from "./show.ts";

export const SPEEDS: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16];
/** Around a fault the clock slows down to this share of normal speed, for these seconds before and after. */
const SLOW = 0.25;
const BEFORE = 0.25;
const AFTER = 2;
/** How long a still picture stands, in seconds. */
const FRAME = 2;

export class Player {
  speed = 1;
  playing = false;
  private last = 0;
  private waited = 0;
  /** Whether nothing may move: the clock then goes from event to event, one every two seconds. */
  still = false;

  constructor(private readonly frame: () => void) {
    const tick = (now: number) => {
      const passed = Math.min(0.1, (now - this.last) / 1000);
      this.last = now;
      if (this.playing && this.show && !document.hidden) {
        this.advance(passed);
        this.playing &&= !this.show.isOver;
      }
      this.frame();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  show: Show | null = null;

  private advance(passed: number): void {
    const show = this.show!;
    if (show.isBusy) {
      return;
    }
    if (this.still) {
      this.waited += passed * this.speed;
      if (this.waited > FRAME) {
        this.waited = 0;
        show.seek(show.next(show.t) ?? show.t + 1);
      }
      return;
    }
    show.seek(show.t + passed * this.speed * (this.isSlow ? SLOW : 1));
  }

  /** Whether the clock has slowed down for a fault. */
  get isSlow(): boolean {
    const { show } = this;
    if (!show || this.speed > 2 || this.speed < 0.5) {
      return false;
    }
    return show.runs.some((run) =>
      run.timeline.some(({ at, struck, spared }) => {
        const when = struck ?? at;
        return !spared && show.t > when - BEFORE && show.t < when + AFTER;
      }),
    );
  }

  faster(by: number): void {
    const at = SPEEDS.indexOf(this.speed);
    this.speed = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + by))] ?? 1;
  }
}
