/** Puts a drawing on a canvas. */

import type { Colour, DrawList, Op } from "./list.ts";

export type Palette = Readonly<Record<Colour, string>>;

const COLOURS: readonly Colour[] = [
  "ink",
  "dim",
  "faint",
  "card",
  "plate",
  "edge",
  "loss",
  "loss-bg",
  "on-loss",
  "on-ink",
  "d",
];

/** The colours as the style sheet has them at this element. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  return Object.fromEntries(COLOURS.map((c) => [c, style.getPropertyValue(`--${c}`).trim()])) as Record<
    Colour,
    string
  >;
}

const FONT = '-apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** Fits a canvas to its box, in device pixels. */
export function fit(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
}

export function paint(canvas: HTMLCanvasElement, list: DrawList, palette: Palette): void {
  const context = canvas.getContext("2d");
  if (!context) {
    return;
  }
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const op of list) {
    put(context, op, palette);
  }
}

function put(c: CanvasRenderingContext2D, op: Op, palette: Palette): void {
  c.globalAlpha = ("alpha" in op && op.alpha) || 1;
  switch (op.op) {
    case "rect":
      c.fillStyle = palette[op.fill];
      if (op.r > 0) {
        c.beginPath();
        c.roundRect(op.x, op.y, op.w, op.h, op.r);
        c.fill();
      } else {
        c.fillRect(op.x, op.y, op.w, op.h);
      }
      return;
    case "frame":
      stroke(c, palette[op.line], op.width);
      c.beginPath();
      c.roundRect(op.x, op.y, op.w, op.h, op.r);
      c.stroke();
      return;
    case "disc":
      c.fillStyle = palette[op.fill];
      circle(c, op.x, op.y, op.r);
      c.fill();
      return;
    case "ring":
      stroke(c, palette[op.line], op.width);
      circle(c, op.x, op.y, op.r);
      c.stroke();
      return;
    case "line":
      stroke(c, palette[op.line], op.width);
      if (op.dash) {
        c.setLineDash([op.dash, op.dash]);
      }
      c.beginPath();
      for (let i = 0; i < op.points.length; i += 2) {
        c.lineTo(op.points[i]!, op.points[i + 1]!);
      }
      c.stroke();
      c.setLineDash([]);
      return;
    case "band":
      stroke(c, palette[op.fill], op.width);
      c.lineCap = "butt";
      c.beginPath();
      c.moveTo(op.points[0]!, op.points[1]!);
      c.lineTo(op.points[2]!, op.points[3]!);
      c.stroke();
      return;
    case "cross":
      cross(c, op, palette);
      return;
    case "diamond":
      diamond(c, op, palette);
      return;
    case "cart":
      cart(c, op, palette);
      return;
    case "text":
      text(c, op.text, op.x, op.y, op.size, palette[op.fill], op.align);
      return;
    case "tag":
      tag(c, op, palette);
      return;
    case "bubble":
      bubble(c, op, palette);
  }
}

function stroke(c: CanvasRenderingContext2D, colour: string, width: number): void {
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.lineCap = "round";
  c.lineJoin = "round";
}

function circle(c: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
}

type Of<K extends Op["op"]> = Extract<Op, { op: K }>;

function cross(c: CanvasRenderingContext2D, op: Of<"cross">, palette: Palette): void {
  stroke(c, palette[op.line], op.width);
  c.lineCap = "butt";
  const [w, h] = [op.w / 2, op.h / 2];
  c.beginPath();
  c.moveTo(op.x - w, op.y - h);
  c.lineTo(op.x + w, op.y + h);
  c.moveTo(op.x + w, op.y - h);
  c.lineTo(op.x - w, op.y + h);
  c.stroke();
}

function diamond(c: CanvasRenderingContext2D, op: Of<"diamond">, palette: Palette): void {
  c.beginPath();
  c.moveTo(op.x, op.y - op.r);
  c.lineTo(op.x + op.r, op.y);
  c.lineTo(op.x, op.y + op.r);
  c.lineTo(op.x - op.r, op.y);
  c.closePath();
  if (op.hollow) {
    stroke(c, palette[op.fill], 1.5);
    c.stroke();
  } else {
    c.fillStyle = palette[op.fill];
    c.fill();
  }
}

/** An overturned shopping cart: solid when its loss was noticed. */
function cart(c: CanvasRenderingContext2D, op: Of<"cart">, palette: Palette): void {
  c.save();
  c.translate(op.x, op.y);
  c.rotate(op.turn);
  c.scale(op.scale, op.scale);
  stroke(c, palette.loss, 1.6);
  c.beginPath();
  c.moveTo(-11, -7);
  c.lineTo(-7.5, -7);
  c.lineTo(-6.6, -3.5);
  c.stroke();
  c.beginPath();
  c.moveTo(-6.8, -4);
  c.lineTo(9, -4);
  c.lineTo(7, 3.6);
  c.lineTo(-5, 3.6);
  c.closePath();
  c.fillStyle = op.solid ? palette.loss : palette["loss-bg"];
  c.fill();
  c.stroke();
  c.fillStyle = palette.loss;
  for (const wheel of [-3, 5]) {
    circle(c, wheel, 7, 1.9);
    c.fill();
  }
  c.restore();
}

function text(
  c: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  size: number,
  colour: string,
  align: CanvasTextAlign,
): void {
  c.font = `700 ${size}px ${FONT}`;
  c.fillStyle = colour;
  c.textAlign = align;
  c.textBaseline = "middle";
  c.fillText(words, x, y);
}

function tag(c: CanvasRenderingContext2D, op: Of<"tag">, palette: Palette): void {
  c.font = `700 ${op.size}px ${FONT}`;
  const w = c.measureText(op.text).width + op.size * 0.5;
  const h = op.size * 1.2;
  c.fillStyle = palette.ink;
  c.beginPath();
  c.roundRect(op.x - w / 2, op.y - h / 2, w, h, op.size * 0.2);
  c.fill();
  text(c, op.text, op.x, op.y + op.size * 0.05, op.size, palette["on-ink"], "center");
}

function bubble(c: CanvasRenderingContext2D, op: Of<"bubble">, palette: Palette): void {
  const { size } = op;
  c.font = `700 ${size}px ${FONT}`;
  const w = c.measureText(op.text).width + size * 1.3;
  const x = Math.max(4, Math.min(op.x, op.most - w));
  const y = op.y;
  c.beginPath();
  c.roundRect(x, y - size, w, 2 * size, 0.6 * size);
  c.moveTo(x + size, y + 0.95 * size);
  c.lineTo(x + 0.7 * size, y + 1.6 * size);
  c.lineTo(x + 1.8 * size, y + 0.95 * size);
  c.fillStyle = palette.loss;
  c.fill();
  text(c, op.text, x + 0.65 * size, y + size * 0.05, size, palette["on-loss"], "left");
}
