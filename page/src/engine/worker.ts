/** Runs in a worker: the simulation as wasm. A message is a request, its answer goes back. */

interface Exports {
  readonly memory: WebAssembly.Memory;
  alloc(length: number): number;
  call(request: number, length: number): bigint;
  free(answer: number, length: number): void;
}

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<string>) => void) | null;
  postMessage(message: unknown): void;
};

async function load(): Promise<Exports> {
  const answer = await fetch("whatcart.wasm");
  if (!answer.ok) {
    throw new Error(`whatcart.wasm: ${answer.status}`);
  }
  const { instance } = await WebAssembly.instantiate(await answer.arrayBuffer(), {});
  return instance.exports as unknown as Exports;
}

function call({ memory, alloc, call, free }: Exports, request: string): string {
  const bytes = new TextEncoder().encode(request);
  const at = alloc(bytes.length);
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  const answer = BigInt.asUintN(64, call(at, bytes.length));
  const [place, length] = [Number(answer >> 32n), Number(answer & 0xffffffffn)];
  const text = new TextDecoder().decode(new Uint8Array(memory.buffer, place, length));
  free(place, length);
  return text;
}

const loaded = load();
loaded.then(
  () => scope.postMessage({ ready: true }),
  (error: unknown) => scope.postMessage({ failed: String(error) }),
);
scope.onmessage = async ({ data }) => {
  const exports = await loaded;
  try {
    scope.postMessage({ answer: call(exports, data) });
  } catch (error) {
    scope.postMessage({ failed: String(error) });
  }
};
