export type { DestinationStream as LogDestination, Logger } from 'pino';

/** Injection token of the root pino logger. */
export const LOGGER = Symbol('Logger');

/** Injection token of what the root logger writes its lines to. */
export const LOG_DESTINATION = Symbol('LogDestination');
