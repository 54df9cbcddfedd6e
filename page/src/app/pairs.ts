/** Which two designs of a scenario are opened side by side: the trouble on the left, a way out on the right. */

const PAIRS: Readonly<Record<string, readonly [number, number]>> = {
  "what-cart": [2, 4],
  "sticky-crash": [2, 4],
  grow: [1, 4],
};

export function pairOf(scenario: string, designs: number): readonly number[] {
  return PAIRS[scenario] ?? (designs > 1 ? [1, designs] : [1]);
}
