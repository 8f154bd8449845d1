import type { TestRouter } from './router.js';

/** An entry of a list. */
export type StatusEntry = Readonly<Record<string, unknown>> & { readonly id: string };

/** The document at a path of the status page. @param path below `/autopilot/` */
export async function listAt(
  { insideUrl }: Pick<TestRouter, 'insideUrl'>,
  path: string,
): Promise<Readonly<Record<string, unknown>> & { readonly data: readonly StatusEntry[] }> {
  const response = await fetch(`${insideUrl}/autopilot/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as never;
}

/** Somebody who follows the events. */
export interface EventFollower {
  /** All that came, as it came. */
  readonly text: string;
  /** The data of the events of this name. */
  named(event: string): readonly Readonly<Record<string, unknown>>[];
  /** Resolves when the router has ended it; false where it was cut. */
  readonly ended: Promise<boolean>;
  close(): void;
}

export async function eventsOf({ insideUrl }: Pick<TestRouter, 'insideUrl'>): Promise<EventFollower> {
  const controller = new AbortController();
  const response = await fetch(`${insideUrl}/autopilot/events`, { signal: controller.signal });
  if (!response.ok || !response.body) throw new Error(`The events are not there: ${response.status}.`);
  let text = '';
  const { body } = response;
  const read = async () => {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body) text += decoder.decode(bytes as Uint8Array, { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  return {
    get text() {
      return text;
    },
    named: (event) =>
      [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)]
        .filter(([, name]) => name === event)
        .map(([, , data = '']) => JSON.parse(data) as Readonly<Record<string, unknown>>),
    ended: read(),
    close: () => controller.abort(),
  };
}
