/** How long the value of a request's `model` may be. */
export const MAX_MODEL_BYTES = 8 * 1024;
