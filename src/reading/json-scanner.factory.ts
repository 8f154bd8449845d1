import { readFileSync } from 'node:fs';

/** As much of it as is used here; Node's own types leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** What was found in a text. Places are in bytes from its beginning. */
export interface Scanned {
  readonly problem: 'unexpected' | 'bad escape' | 'too deep' | undefined;
  readonly problemAt: number;
  readonly isObject: boolean;
  /** How many top-level keys spell `model`, with or without escapes. */
  readonly models: number;
  /** Where the value of the last one begins and ends. */
  readonly start: number;
  readonly end: number;
  readonly isModelString: boolean;
  /** Whether the last top-level `stream` is `true`. */
  readonly stream: boolean;
}

/** `assembly/json-scanner.ts`, compiled. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly FOUND: Global;
  readonly PIECE: Global;
  readonly MAX_PIECE: Global;
  begin(): void;
  read(length: number): void;
  finish(): void;
}

interface Global {
  readonly value: number;
}

const PROBLEMS = [undefined, 'unexpected', 'bad escape', 'too deep'] as const;

const file = new URL('./json-scanner.wasm', import.meta.url);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
const scanner = exports as unknown as Exports;
/** In the order in which `finish` of `assembly/json-scanner.ts` puts them there. */
const found = new Int32Array(scanner.memory.buffer, scanner.FOUND.value, 8);
const room = new Uint8Array(scanner.memory.buffer, scanner.PIECE.value, scanner.MAX_PIECE.value);

/** Validates one JSON text and finds its top-level `model` and `stream`. Says nothing about UTF-8. */
export function scanJson(pieces: readonly Buffer[]): Scanned {
  scanner.begin();
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += room.length) {
      const part = piece.length <= room.length ? piece : piece.subarray(at, at + room.length);
      room.set(part);
      scanner.read(part.length);
    }
  }
  scanner.finish();
  const [problem = 0, problemAt = 0, isObject, models = 0, start = 0, end = 0, isModelString, stream] = found;
  return {
    problem: PROBLEMS[problem],
    problemAt,
    isObject: isObject === 1,
    models,
    start,
    end,
    isModelString: isModelString === 1,
    stream: stream === 1,
  };
}
