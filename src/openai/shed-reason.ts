/** What there is no room for when a request is refused with `overloaded`: a turn of the event loop, its body, a connection. */
export const SHED_REASONS = ['lag', 'body', 'upstream'] as const;

export type ShedReason = (typeof SHED_REASONS)[number];
