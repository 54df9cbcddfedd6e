/** Thirty runs as dots on one axis: what is luck, and what is the design. */

import { type Lost, playMany } from "../app/many.ts";
import { inWords, type Show } from "../app/show.ts";
import { fit, paletteOf } from "../draw/paint.ts";
import { open } from "./dialogs.ts";
import { badge, h, say } from "./dom.ts";

const SEEDS = 30;

export function openMany(show: Show): void {
  const progress = h("progress", { max: SEEDS, value: 0, "aria-label": "Runs" });
  const state = h("p.note", { role: "status" }, "The first run …");
  const runs = show.runs.filter(({ branch }) => branch === null);
  const rows = new Map(
    runs.map((run) => [
      run.design.number,
      { canvas: h("canvas", { "aria-hidden": "true" }), values: h("p.sr") },
    ]),
  );
  const plots = runs.map((run) => {
    const { canvas, values } = rows.get(run.design.number)!;
    const row = h("div.plot", {}, h("p", {}, badge(run), ` ${run.design.name}`), canvas, values);
    row.classList.add(`of-${Math.min(7, run.design.number)}`);
    return row;
  });
  let closed = false;
  const dialog = open(
    `Carts lost in ${SEEDS} runs`,
    h(
      "div.end",
      {},
      h("p.note", {}, `Every dot is a run of its own: seeds 1 to ${SEEDS}, everything else the same.`),
      ...plots,
      progress,
      state,
    ),
  );
  dialog.addEventListener("close", () => {
    closed = true;
  });
  const told = (lost: Lost, seed: number) => {
    progress.value = seed;
    say(state, seed < SEEDS ? `${seed} of ${SEEDS} runs` : "");
    const most = Math.max(1, ...[...lost.values()].flat());
    for (const [design, carts] of lost) {
      const row = rows.get(design);
      if (row) {
        plot(row.canvas, carts, most);
        say(row.values, carts.toSorted((a, b) => a - b).join(", "));
      }
    }
  };
  playMany({ ...show.request, designs: [...rows.keys()] }, SEEDS, told, () => !closed).catch((problem) =>
    say(state, inWords(problem)),
  );
}

/** Dots over an axis from 0 to the most; those at one place are piled up. */
function plot(canvas: HTMLCanvasElement, carts: readonly number[], most: number): void {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const context = canvas.getContext("2d");
  if (!context || width === 0) {
    return;
  }
  fit(canvas, width, height);
  const palette = paletteOf(canvas);
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const [left, right, base] = [rem, width - 2.5 * rem, height - 1.4 * rem];
  const x = (value: number) => left + (value / most) * (right - left);
  context.strokeStyle = palette.edge;
  context.beginPath();
  context.moveTo(left, base);
  context.lineTo(right, base);
  context.stroke();
  context.fillStyle = palette.dim;
  context.font = `${0.875 * rem}px ${getComputedStyle(canvas).fontFamily}`;
  context.textAlign = "center";
  for (const value of [0, most]) {
    context.fillText(value.toLocaleString("en-US"), x(value), height - 0.25 * rem);
  }
  const dot = Math.min(0.3 * rem, (base - 4) / (2 * carts.length));
  const piles = new Map<number, number>();
  context.fillStyle = palette.d;
  for (const value of carts) {
    const place = Math.round(x(value) / (2 * dot));
    const pile = piles.get(place) ?? 0;
    piles.set(place, pile + 1);
    context.beginPath();
    context.arc(x(value), base - dot - pile * 2 * dot, dot, 0, 2 * Math.PI);
    context.fill();
  }
}
