export type { Logger } from 'pino';

/** Injection token of the root pino logger. */
export const LOGGER = Symbol('Logger');
