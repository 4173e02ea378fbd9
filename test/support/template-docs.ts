/** Writes docs/TEMPLATES.md from the templates themselves, so that the two cannot drift apart. */
import { isSmsEligible, type Template } from "../../src/content/template.ts";
import { code, table } from "./markdown.ts";

const INTRODUCTION = `# Templates

A request names one of these by \`template_id\` and gives its sentences what they need in \`data\`. \`GET /templates\` tells the same to programs, and \`POST /templates/{id}/preview\` shows what a notification would say in each language and channel. Written from \`templates/\` by \`test/content/template-docs.test.ts\`; \`npm test -- test/content -u\` writes it anew.

- **priority**, **channels** and **notification_type** are what holds where the request does not say. Raising the priority to \`critical\` takes the scope \`notify:send:critical\`.
- **SMS**: "yes" is sent without asking; "if asked for" when \`channels\` of the request has \`sms\`; "if critical" when the request also raises the priority to critical.
- **public**: may be seen on a lock screen, in an SMS or in a link. All other fields only ever show over the authenticated socket.
- A date-time is like \`2026-09-15T14:00:00Z\`; without an offset it is UTC.
- \`batch_id\`, \`class_id\` and \`student_id\` may also be given beside \`data\` instead of in it.
- Fields that a template does not have are handed on to the open tab in the frame's \`data\`, and used nowhere else.
`;

/** @param purposeOf a sentence or two on when the template is used. */
export function renderTemplateDocs(
  templates: readonly Template[],
  purposeOf: (template: Template) => string,
): string {
  const overview = table(
    ["template", "family", "category", "priority", "channels", "SMS", "notification_type"],
    templates.map((each) => [
      link(each.id),
      each.family,
      code(each.category),
      each.priority,
      each.channels.join(", "),
      smsOf(each),
      code(each.notificationType),
    ]),
  );
  const sections = templates.map((each) =>
    [
      `## ${each.id}`,
      purposeOf(each),
      [...facts(each), ...occurrenceOf(each, templates), ...warningOf(each)]
        .map((fact) => `- ${fact}`)
        .join("\n"),
      fields(each),
    ].join("\n\n"),
  );
  return `${[INTRODUCTION + "\n" + overview, ...sections].join("\n\n")}\n`;
}

/** The same rule as at acceptance: critical, of the IEP family, or of the critical SMS tier. */
function smsOf(template: Template): string {
  if (!isSmsEligible(template, template.priority)) return "if critical";
  return template.channels.includes("sms") ? "yes" : "if asked for";
}

function facts(template: Template): string[] {
  const { deadline, expirable, actionRequired, urls, actions, collapse } = template;
  const stated =
    template.dataSchema.properties["action_required"] === undefined
      ? ""
      : ", unless `action_required` is there: then it is yes if that has text, else no";
  const lines = [
    `The person must do something: ${actionRequired ? "yes" : "no"}${stated}.`,
    `A tap leads to ${urls.map(code).join(", or where a field of it is absent to ")}.`,
  ];
  if (actions.length > 0) {
    lines.push(
      `Buttons: ${actions.map(({ id, url }) => `${code(id)} (${code(url)})`).join(", ")}.`,
    );
  }
  if (deadline !== undefined) {
    const { field, defaultHours } = deadline;
    const otherwise =
      defaultHours === undefined ? "" : `, else ${defaultHours} hours after acceptance`;
    const then = expirable ? "; what was not delivered by then expires" : "";
    lines.push(`Deadline: ${code(field)}${otherwise}${then}.`);
  }
  if (collapse !== undefined)
    lines.push(`On the lock screen a newer one of the same ${code(collapse)} replaces the older.`);
  return lines;
}

/** Which templates tell of the same thing, so that two kinds of event about it ring once. */
function occurrenceOf({ id, dedupeFamily }: Template, all: readonly Template[]): string[] {
  if (dedupeFamily === undefined) return [];
  const others = all.filter((each) => each.dedupeFamily === dedupeFamily && each.id !== id);
  const named =
    others.length === 0 ? "" : ` with ${others.map((each) => link(each.id)).join(", ")}`;
  return [
    `Dedupe family ${code(dedupeFamily)}${named}: of a domain event and a teacher event about the same occurrence, only the first rings.`,
  ];
}

/** What it has to do with the warnings that are scheduled unasked. */
function warningOf({ warning, cancels }: Template): string[] {
  if (warning !== undefined) {
    const { template, hoursBefore } = warning;
    return [
      `With \`AUTO_DEADLINE_WARNINGS\` it schedules ${link(template)} for ${hoursBefore} hours before the deadline, in place of the one of an earlier question about the same \`batch_id\`.`,
    ];
  }
  if (cancels === undefined) return [];
  return [
    `With \`AUTO_DEADLINE_WARNINGS\` it cancels the ${link(cancels)} that a question about the same \`batch_id\` has scheduled.`,
  ];
}

function fields({ dataSchema, publicFields }: Template): string {
  const { properties, required } = dataSchema;
  const rows = Object.entries(properties).map(([name, schema]) => ({
    required: required.includes(name),
    cells: [
      code(name),
      required.includes(name) ? "required" : "optional",
      typeOf(schema),
      publicFields.has(name) ? "public" : "",
    ],
  }));
  if (rows.length === 0) return "No field of `data` is used.";
  const ordered = [...rows.filter((row) => row.required), ...rows.filter((row) => !row.required)];
  return table(
    ["data", "", "type", ""],
    ordered.map(({ cells }) => cells),
  );
}

/** What a field may hold, in words. Throws on a schema that this page would describe wrongly. */
function typeOf(schema: Readonly<Record<string, unknown>>): string {
  const {
    type,
    format,
    minLength,
    maxLength,
    pattern,
    minimum,
    maximum,
    maxItems,
    items,
    properties,
    ...rest
  } = schema;
  if (Object.keys(rest).length > 0) throw new Error(`no words for ${Object.keys(rest).join(", ")}`);
  switch (type) {
    case "integer":
      return `whole number, ${Number(minimum)} to ${Number(maximum)}`;
    case "number":
      if (minimum === undefined && maximum === undefined) return "number";
      return `number, ${Number(minimum)} to ${Number(maximum)}`;
    case "object": {
      const names = Object.keys({ ...(properties as object) }); // a schema's fields
      return names.length === 0 ? "object" : `object with ${names.map(code).join(", ")}`;
    }
    case "array":
      return `list of at most ${Number(maxItems)}: ${typeOf({ ...(items as object) })}`; // a schema
    case "string": {
      if (format === "date-time") return "date-time";
      const least = minLength === undefined ? "at most" : `${Number(minLength)} to`;
      const shape =
        pattern === undefined
          ? ""
          : pattern === "\\S"
            ? ", not blank"
            : `, matching ${code(pattern)}`;
      return `text, ${least} ${Number(maxLength)} characters${shape}`;
    }
    default:
      throw new Error(`no words for the type ${String(type)}`);
  }
}

function link(id: string): string {
  return `[${code(id)}](#${id})`;
}
