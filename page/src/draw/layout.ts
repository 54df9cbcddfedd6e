/** Where things are. CSS decides; the canvas asks the document. */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The size of a rem in pixels. */
  readonly rem: number;
  /** Whether messages travel downwards, as on a phone, rather than to the right. */
  readonly upright: boolean;
  /** By the name in `data-place`: `crowd`, `bin`, `balancer`, `port-0`, `server-0`, `memory-0`, `work-0`, `store`, … */
  readonly places: ReadonlyMap<string, Rect>;
}

/** Measures all places of a pane, relative to the pane. Hidden ones are left out. */
export function measure(pane: HTMLElement): Layout {
  const outer = pane.getBoundingClientRect();
  const border = pane.clientTop;
  const places = new Map<string, Rect>();
  for (const element of pane.querySelectorAll<HTMLElement>("[data-place]")) {
    const r = element.getBoundingClientRect();
    if (r.width > 0 && r.height > 0) {
      const [x, y] = [r.left - outer.left - pane.clientLeft, r.top - outer.top - border];
      places.set(element.dataset.place ?? "", { x, y, w: r.width, h: r.height });
    }
  }
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const upright = matchMedia("(max-width: 45rem)").matches;
  return { width: pane.clientWidth, height: pane.clientHeight, rem, upright, places };
}

export const centre = (r: Rect): Point => ({ x: r.x + r.w / 2, y: r.y + r.h / 2 });

export const between = (a: Point, b: Point, k: number): Point => ({
  x: a.x + (b.x - a.x) * k,
  y: a.y + (b.y - a.y) * k,
});

export const contains = (r: Rect, p: Point): boolean =>
  p.x > r.x && p.x < r.x + r.w && p.y > r.y && p.y < r.y + r.h;

/** How many columns and rows of seats there are: 25 by 12 for the usual 300 users. */
export function seating(seats: number): { columns: number; rows: number } {
  if (seats > 200) {
    return { columns: 25, rows: Math.ceil(seats / 25) };
  }
  const columns = Math.max(1, Math.ceil(Math.sqrt(seats * (25 / 12))));
  return { columns, rows: Math.max(1, Math.ceil(seats / columns)) };
}

/** The place of a seat in a plate: the same in every memory. */
export function seatIn(plate: Rect, seat: number, seats: number): Rect {
  const { columns, rows } = seating(seats);
  const [w, h] = [plate.w / columns, plate.h / rows];
  return { x: plate.x + (seat % columns) * w, y: plate.y + Math.floor(seat / columns) * h, w, h };
}

/** Which seat is at a point of a plate. */
export function seatAt(plate: Rect, at: Point, seats: number): number | null {
  const { columns, rows } = seating(seats);
  const column = Math.floor(((at.x - plate.x) / plate.w) * columns);
  const row = Math.floor(((at.y - plate.y) / plate.h) * rows);
  const seat = row * columns + column;
  return column >= 0 && column < columns && row >= 0 && seat < seats ? seat : null;
}
