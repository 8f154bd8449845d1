/** What is for those who run the router, and not for its clients. */
const INSIDE = /^\/(?:healthz|readyz|metrics|autopilot(?:\/.*)?)$/;

/** Whether a path is for the inside port, where there is one. @param path without its query */
export function belongsInside(path: string): boolean {
  return INSIDE.test(path);
}
