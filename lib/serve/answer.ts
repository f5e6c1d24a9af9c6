/**
 * Answers with a message.
 *
 * @module
 */

/** Answers with a message as JSON. */
export function jsonMessage(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ message }, { status, headers });
}
