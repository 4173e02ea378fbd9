/** What is sent in these tests. */

export function announcement(userId: string, extra: object = {}): object {
  return {
    user_id: userId,
    template_id: "announcement",
    data: { title: "Snow day", body: "School is closed today." },
    ...extra,
  };
}

/** One that may ring a phone. */
export function emergency(userId: string, extra: object = {}): object {
  return announcement(userId, {
    priority: "critical",
    channels: ["websocket", "push", "sms"],
    ...extra,
  });
}
