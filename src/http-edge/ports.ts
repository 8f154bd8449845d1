/** What is for those who run the router, and not for its clients. */
const INSIDE = /^\/(?:healthz|readyz|metrics|autopilot(?:\/.*)?)$/;

/** The page that shows what the router does, and its data. */
const STATUS = /^\/autopilot(?:\/.*)?$/;

/** Whether a path is for the admin port, where there is one. @param path without its query */
export function belongsInside(path: string): boolean {
  return INSIDE.test(path);
}

/** Whether a path is one of the status page. @param path without its query */
export function belongsToStatus(path: string): boolean {
  return STATUS.test(path);
}
