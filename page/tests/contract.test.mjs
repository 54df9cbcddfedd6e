// What the page writes into requests is what the simulation understands.
import assert from "node:assert/strict";
import { test } from "node:test";
import { engineHere, missing } from "./engine.mjs";
import { importSource } from "./modules.mjs";

const page = await importSource("testing.ts");
const skip = missing;

test("every choice of the settings is a setting", { skip }, async () => {
  const calls = new page.Calls(await engineHere());
  for (const { key, choices } of page.KNOBS) {
    for (const choice of choices ?? []) {
      await calls.check("sticky-crash", [`${key}=${choice}`]);
    }
  }
});

test("the example of the editor can be played, and a slip in it is pointed at", { skip }, async () => {
  const calls = new page.Calls(await engineHere());
  const { designs } = await calls.check("my-own", [], page.EXAMPLE);
  assert.equal(designs.length, 2);
  await calls.load({ scenario: "my-own", text: page.EXAMPLE, designs: [1, 2] });
  const wrong = calls.check("my-own", [], page.EXAMPLE.replace("replace_after", "replace_later"));
  await assert.rejects(
    wrong,
    ({ refusal }) => refusal.place.line === 19 && /replace_after/.test(refusal.help),
  );
});

test("the designs of the tour, and those that are opened first, can be loaded", { skip }, async () => {
  const calls = new page.Calls(await engineHere());
  const entries = await calls.scenarios();
  const pairs = entries
    .filter(({ name }) => name !== "big-pool")
    .map(({ name, designs }) => ({ scenario: name, designs: page.designsOf(name, designs.length) }));
  for (const { scenario, designs } of [...page.STEPS, ...pairs]) {
    const { runs } = await calls.load({ scenario, designs: [...designs] });
    assert.equal(runs.length, designs.length, scenario);
  }
});

test("every fault that can be made by hand strikes", { skip }, async () => {
  const calls = new page.Calls(await engineHere());
  const { runs } = await calls.load({ scenario: "store-outage", designs: [4] });
  const [server] = runs[0].keyframe.servers;
  const faults = [
    ...page.serverFaults(server).map(({ fault }) => fault),
    { deploy: {} },
    { store: "outage", for: "10s" },
  ];
  for (const fault of faults) {
    await calls.load({ scenario: "store-outage", designs: [1] });
    await calls.advance(0, 10);
    const { fault: number, timeline } = await calls.inject(0, fault);
    assert.equal(timeline[number].struck, 10, JSON.stringify(fault));
  }
});
