/** A drawing as data: what is put where, in names of colours. It can be compared, hashed and painted. */

export type Colour =
  | "ink"
  | "dim"
  | "faint"
  | "card"
  | "plate"
  | "edge"
  | "loss"
  | "loss-bg"
  | "on-loss"
  | "on-ink"
  | "d";

export type Op =
  | {
      readonly op: "rect";
      x: number;
      y: number;
      w: number;
      h: number;
      r: number;
      fill: Colour;
      alpha?: number;
    }
  | {
      readonly op: "frame";
      x: number;
      y: number;
      w: number;
      h: number;
      r: number;
      line: Colour;
      width: number;
    }
  | { readonly op: "disc"; x: number; y: number; r: number; fill: Colour; alpha?: number }
  | { readonly op: "ring"; x: number; y: number; r: number; line: Colour; width: number }
  | {
      readonly op: "line";
      points: readonly number[];
      line: Colour;
      width: number;
      alpha?: number;
      dash?: number;
    }
  | { readonly op: "band"; points: readonly number[]; width: number; fill: Colour; alpha: number }
  | { readonly op: "cross"; x: number; y: number; w: number; h: number; line: Colour; width: number }
  | { readonly op: "diamond"; x: number; y: number; r: number; fill: Colour; hollow: boolean }
  | { readonly op: "cart"; x: number; y: number; turn: number; scale: number; solid: boolean }
  | {
      readonly op: "text";
      x: number;
      y: number;
      text: string;
      size: number;
      fill: Colour;
      align: "left" | "center";
    }
  | { readonly op: "tag"; x: number; y: number; text: string; size: number }
  | { readonly op: "bubble"; x: number; y: number; text: string; size: number; most: number };

export type DrawList = readonly Op[];

/** A short name for a drawing: equal drawings have equal names. Coordinates count to a hundredth of a pixel. */
export function fingerprint(list: DrawList): string {
  const text = JSON.stringify(list, (_, value) =>
    typeof value === "number" ? Math.round(value * 100) / 100 : value,
  );
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    hash = ((hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash.toString(16).padStart(16, "0");
}
