import { readFileSync } from 'node:fs';
import type { NeedSet } from '../catalog/abilities.js';

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
  readonly needs: NeedSet;
  /** Whether the last element of `messages` or `input` is a tool's result. */
  readonly isToolResult: boolean;
  readonly promptBytes: number;
  readonly answerTokens: number;
  /** Where the beginning of the conversation is: 0 and 0 where there is none. */
  readonly conversationStart: number;
  readonly conversationEnd: number;
  /** Where the string is that names the session: 0 and 0 where there is none. */
  readonly sessionStart: number;
  readonly sessionEnd: number;
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
/** In the order in which `writeFindings` of `assembly/findings.ts` puts them there. */
const found = new Int32Array(scanner.memory.buffer, scanner.FOUND.value, 16);
const room = new Uint8Array(scanner.memory.buffer, scanner.PIECE.value, scanner.MAX_PIECE.value);

/** Validates one JSON text and finds in it what a request asks for. Says nothing about UTF-8. */
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
  return {
    problem: PROBLEMS[numberAt(0)],
    problemAt: numberAt(1),
    isObject: numberAt(2) === 1,
    models: numberAt(3),
    start: numberAt(4),
    end: numberAt(5),
    isModelString: numberAt(6) === 1,
    stream: numberAt(7) === 1,
    needs: numberAt(8),
    isToolResult: numberAt(9) === 1,
    promptBytes: numberAt(10),
    answerTokens: numberAt(11),
    conversationStart: numberAt(12),
    conversationEnd: numberAt(13),
    sessionStart: numberAt(14),
    sessionEnd: numberAt(15),
  };
}

function numberAt(n: number): number {
  return found[n] as number;
}
