/** The timeline: faults, what was lost so far in each design, and the moment that is shown. It is a slider. */

import type { Show } from "../app/show.ts";
import { fit } from "../draw/paint.ts";
import { clock, h, mark } from "./dom.ts";

const MARGIN = 10;

export class Timeline {
  private readonly canvas = h("canvas", { "aria-hidden": "true" });
  readonly element = h("div.line", { role: "slider", tabindex: 0, "aria-label": "Time" }, this.canvas);
  private show: Show | null = null;

  constructor(seek: (t: number) => void) {
    const go = (event: PointerEvent) => {
      const box = this.element.getBoundingClientRect();
      const share = (event.clientX - box.left - MARGIN) / (box.width - 2 * MARGIN);
      if (this.show) {
        seek(Math.max(0, Math.min(1, share)) * this.show.end);
      }
    };
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      go(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) {
        go(event);
      }
    });
  }

  open(show: Show): void {
    this.show = show;
  }

  /** What a screen reader says of the moment. */
  describe(): void {
    const { show, element } = this;
    if (!show) {
      return;
    }
    const lost = show.runs.map(
      (run) => `${run.recording.lostAt(show.t)} lost in design ${run.design.number}`,
    );
    mark(element, "aria-valuemin", "0");
    mark(element, "aria-valuemax", show.end.toFixed(0));
    mark(element, "aria-valuenow", show.t.toFixed(1));
    mark(element, "aria-valuetext", `${clock(show.t)}, carts: ${lost.join(", ")}`);
  }

  draw(): void {
    const { show, canvas } = this;
    const context = canvas.getContext("2d");
    if (!show || !context || canvas.clientWidth === 0) {
      return;
    }
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    fit(canvas, width, height);
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    new Drawing(context, show, width, height, canvas).draw();
  }
}

class Drawing {
  private readonly rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  private readonly base: number;

  constructor(
    private readonly c: CanvasRenderingContext2D,
    private readonly show: Show,
    private readonly width: number,
    height: number,
    private readonly element: Element,
  ) {
    this.base = height - 1.5 * this.rem;
  }

  private x(t: number): number {
    return MARGIN + (t / this.show.end) * (this.width - 2 * MARGIN);
  }

  private colour(name: string): string {
    return getComputedStyle(this.element).getPropertyValue(`--${name}`).trim();
  }

  draw(): void {
    const { c, show, base, rem } = this;
    this.line([this.x(0), base, this.x(show.end), base], this.colour("faint"), 0.38 * rem);
    this.line([this.x(0), base, this.x(show.t), base], this.colour("dim"), 0.38 * rem);
    this.faults();
    if (show.forkedAt !== null) {
      this.fork(this.x(show.forkedAt));
    }
    const most = Math.max(1, ...show.runs.map((run) => run.recording.lostAt(show.t)));
    for (const run of show.runs) {
      this.curve(
        run.recording.lost,
        most,
        this.colour(`d${Math.min(7, run.design.number)}`),
        run.branch !== null,
      );
    }
    c.beginPath();
    c.arc(this.x(show.t), base, 0.52 * rem, 0, 2 * Math.PI);
    c.fillStyle = this.colour("ink");
    c.strokeStyle = this.colour("card");
    c.lineWidth = 3;
    c.fill();
    c.stroke();
  }

  private line(points: readonly number[], colour: string, width: number, dash: number[] = []): void {
    const { c } = this;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.lineCap = "round";
    c.lineJoin = "round";
    c.setLineDash(dash);
    c.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      c.lineTo(points[i]!, points[i + 1]!);
    }
    c.stroke();
    c.setLineDash([]);
  }

  /** Carts lost or gone over time, up to the moment that is shown. */
  private curve(
    lost: readonly { t: number; lost: number }[],
    most: number,
    colour: string,
    dashed: boolean,
  ): void {
    const { show, base, rem } = this;
    const y = (carts: number) => base - 0.42 * rem - (carts / most) * (base - 0.75 * rem);
    const points = [this.x(0), y(0)];
    let [lastX, before] = [this.x(0), 0];
    for (const step of lost) {
      if (step.t > show.t) {
        break;
      }
      const x = this.x(step.t);
      if (x - lastX >= 1 || Math.abs(step.lost - before) > most * 0.02) {
        points.push(x, y(before), x, y(step.lost));
        lastX = x;
      }
      before = step.lost;
    }
    points.push(this.x(show.t), y(before));
    this.line(points, colour, 0.15 * rem, dashed ? [5, 5] : []);
  }

  /** Where one past becomes two futures. */
  private fork(x: number): void {
    const { base, rem } = this;
    const points = [x, base, x + 0.8 * rem, base - 0.9 * rem, x + 2.4 * rem, base - 0.9 * rem];
    this.line(points, this.colour("dim"), 0.12 * rem, [4, 4]);
  }

  private faults(): void {
    const { c, base, rem, show } = this;
    c.font = `600 ${0.875 * rem}px ${getComputedStyle(this.element).fontFamily}`;
    c.textBaseline = "alphabetic";
    const marks = new Map<string, { t: number; words: string; past: boolean }>();
    for (const run of show.runs) {
      for (const entry of run.timeline) {
        if (!entry.spared && entry.at <= show.end) {
          marks.set(`${entry.at} ${entry.words}`, {
            t: entry.struck ?? entry.at,
            words: entry.words,
            past: (entry.struck ?? entry.at) <= show.t,
          });
        }
      }
    }
    let free = 0;
    for (const { t, words, past } of [...marks.values()].sort((a, b) => a.t - b.t)) {
      const x = this.x(t);
      const colour = this.colour(past ? "loss" : "dim");
      this.line([x, base - 0.6 * rem, x, base + 0.4 * rem], colour, 2);
      const width = c.measureText(words).width;
      const left = Math.max(2, Math.min(x - 2, this.width - width - 2));
      if (left >= free) {
        c.fillStyle = colour;
        c.fillText(words, left, base + 1.2 * rem);
        free = left + width + 0.8 * rem;
      }
    }
  }
}
