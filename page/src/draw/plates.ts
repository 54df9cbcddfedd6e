/** The still layer: who believes what, what is remembered where, who works. */

import type { ServerRow } from "../engine/moments.ts";
import type { Plate, Scene, Seat } from "../run/scene.ts";
import { centre, type Layout, type Rect, seatIn } from "./layout.ts";
import type { Op } from "./list.ts";

const PLACES = 3;

/** Stripes for the filled places of a seat. */
function* stripes(seat: Rect, bits: number, alpha = 1): Generator<Op> {
  const margin = seat.w < 7 ? 0.3 : Math.max(1, seat.w * 0.09);
  const width = (seat.w - 2 * margin) / PLACES;
  const gap = seat.w < 7 ? 0 : Math.max(0.6, width * 0.16);
  const inset = Math.max(seat.h < 7 ? 0.3 : 1, seat.h * 0.1);
  for (let place = 0; place < PLACES; place++) {
    if ((bits >> place) & 1) {
      const x = seat.x + margin + place * width;
      const box = { x, y: seat.y + inset, w: width - gap, h: seat.h - 2 * inset, r: width > 3 ? 1 : 0 };
      yield { op: "rect", ...box, fill: "d", ...(alpha < 1 ? { alpha } : {}) };
    }
  }
}

function* believer(seat: Seat, box: Rect): Generator<Op> {
  const { x, y } = centre(box);
  if (seat.truth === "none") {
    yield { op: "disc", x, y, r: Math.max(0.8, Math.min(1.9, box.w * 0.11)), fill: "faint" };
    return;
  }
  if (seat.truth === "gone") {
    yield* stripes(box, seat.exists, 0.45);
    const size = Math.min(box.w, box.h) - 2;
    const width = Math.max(1.6, size * 0.19);
    yield { op: "cross", x, y, w: size, h: size, line: "loss", width };
    return;
  }
  yield* stripes(box, seat.believed);
  if (seat.truth === "split") {
    const width = Math.max(1.5, box.w * 0.16);
    const points = [box.x + 1.5, box.y + box.h - 1.5, box.x + box.w - 1.5, box.y + 1.5];
    yield { op: "line", points, line: "card", width: width + 2 };
    yield { op: "line", points, line: "loss", width };
  }
}

function* memory(plate: Plate, box: Rect): Generator<Op> {
  for (let seat = 0; seat < plate.length; seat++) {
    const bits = plate[seat] ?? 0;
    if (bits) {
      yield* stripes(seatIn(box, seat, plate.length), bits);
    }
  }
}

/** Squares for workers, filled when busy; a bar when there are many. The queue stands beside them as a number. */
function* workers(server: ServerRow, box: Rect): Generator<Op> {
  if (["down", "silent", "booting", "retired"].includes(server.state) || server.workers === 0) {
    return;
  }
  const most = 6;
  const size = Math.min(box.h, box.w / Math.min(server.workers, most) - 2);
  if (server.workers > most) {
    const share = Math.min(1, server.busy / server.workers);
    const bar = { x: box.x, y: box.y + box.h * 0.2, w: box.w, h: box.h * 0.6, r: 2 };
    yield { op: "frame", ...bar, line: "edge", width: 1.3 };
    if (share > 0) {
      yield { op: "rect", ...bar, w: box.w * share, fill: "ink" };
    }
    return;
  }
  for (let worker = 0; worker < server.workers; worker++) {
    const x = box.x + box.w - (worker + 1) * (size + 2.5);
    const y = box.y + (box.h - size) / 2;
    if (worker < server.busy) {
      yield { op: "rect", x, y, w: size, h: size, r: 1.5, fill: "ink" };
    } else {
      yield {
        op: "frame",
        x: x + 0.7,
        y: y + 0.7,
        w: size - 1.4,
        h: size - 1.4,
        r: 1.5,
        line: "edge",
        width: 1.4,
      };
    }
  }
}

/** No more than these wait as ticks; above, their number is written into the card. */
const TICKS = 12;

/** Who waits before a door: ticks, over twelve a number. */
function* queue(server: ServerRow, layout: Layout): Generator<Op> {
  const box = layout.places.get(`server-${server.id}`);
  if (!box || server.queued === 0) {
    return;
  }
  const { rem, upright } = layout;
  const most = upright ? TICKS : Math.min(TICKS, Math.floor((box.h / rem - 0.5) / 0.28));
  for (let place = 0; place < Math.min(most, server.queued); place++) {
    const step = place * 0.28 * rem;
    const [x, y] = upright
      ? [box.x + 0.4 * rem + step, box.y - 0.55 * rem]
      : [box.x - 0.6 * rem, box.y + box.h - 0.4 * rem - step];
    const points = upright ? [x, y, x, y + 0.4 * rem] : [x, y, x + 0.45 * rem, y];
    yield { op: "line", points, line: "ink", width: 2 };
  }
  if (server.queued > most) {
    const size = 0.875 * rem;
    const roomy = box.h > 4 * rem;
    const [x, y, text] = roomy
      ? [box.x + box.w / 2, box.y + box.h - 1.9 * rem, `${server.queued} wait`]
      : [box.x + box.w - 1.2 * rem, box.y + box.h / 2, `${server.queued}`];
    yield { op: "tag", x, y, text, size };
  }
}

/** The followed user, found in every memory; the parts of a scattered cart are tied together. */
function* followed(scene: Scene, layout: Layout): Generator<Op> {
  const seats = scene.seats.length;
  const crowd = layout.places.get("crowd");
  // A seat of several users is nobody's.
  if (!crowd || scene.followed >= seats || scene.clientsPerSeat > 1) {
    return;
  }
  const { rem } = layout;
  const mine = centre(seatIn(crowd, scene.followed, seats));
  const found = [...scene.plates].flatMap(([place, plate]) => {
    const box = layout.places.get(`memory-${place}`);
    return box && plate[scene.followed] ? [centre(seatIn(box, scene.followed, seats))] : [];
  });
  // A cart in one place and a login in another are no scattered cart.
  if (found.length > 1 && scene.scatters) {
    yield { op: "line", points: found.flatMap(({ x, y }) => [x, y]), line: "ink", width: 1.5, dash: 3 };
  }
  for (const { x, y } of [mine, ...found]) {
    const r = Math.max(6, 0.58 * rem);
    yield { op: "ring", x, y, r, line: "plate", width: 4.5 };
    yield { op: "ring", x, y, r, line: "ink", width: 2 };
  }
  const text = `${scene.followedUser}`;
  const right = mine.x + 3 * rem < crowd.x + crowd.w;
  yield {
    op: "tag",
    x: mine.x + (right ? 1.3 : -1.3) * rem,
    y: mine.y - 0.55 * rem,
    text,
    size: 0.875 * rem,
  };
}

/** Belief and truth differ: an unequals sign between port and server. */
function* unequal(server: ServerRow, layout: Layout): Generator<Op> {
  const port = layout.places.get(`port-${server.id}`);
  const box = layout.places.get(`server-${server.id}`);
  if (!server.wrong || !port || !box) {
    return;
  }
  const { rem, upright } = layout;
  const sign = (x: number, y: number): Op => ({
    op: "text",
    x,
    y,
    text: "≠",
    size: 1.6 * rem,
    fill: "loss",
    align: "center",
  });
  if (upright) {
    yield sign(port.x + port.w / 2, (port.y + port.h + box.y) / 2);
    return;
  }
  const gap = box.x - (port.x + port.w);
  // In several columns there is no room between them: the sign stands on the border of the card.
  const [x, y] = gap < 2.5 * rem ? [box.x - 0.55 * rem, port.y - 0.75 * rem] : [box.x, box.y + box.h / 2];
  yield { op: "disc", x, y, r: gap < 2.5 * rem ? 0 : 0.7 * rem, fill: "card" };
  yield sign(Math.max(x, port.x + port.w), y);
}

export function drawPlates(scene: Scene, layout: Layout): Op[] {
  const ops: Op[] = [];
  const crowd = layout.places.get("crowd");
  if (crowd) {
    scene.seats.forEach((seat, index) => {
      ops.push(...believer(seat, seatIn(crowd, index, scene.seats.length)));
    });
  }
  for (const [place, plate] of scene.plates) {
    const box = layout.places.get(`memory-${place}`);
    if (box) {
      ops.push(...memory(plate, box));
    }
  }
  for (const server of scene.servers) {
    const box = layout.places.get(`work-${server.id}`);
    if (box) {
      ops.push(...workers(server, box));
    }
    ops.push(...queue(server, layout), ...unequal(server, layout));
  }
  ops.push(...followed(scene, layout));
  return ops;
}
