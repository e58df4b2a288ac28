"use strict";
// Two pages side by side, as `sipexplain compare` sets them: the sentences are data (`plan`), and so is
// what is said of a code (`facts`). Knows nothing of the document.
window.sipexplain ??= {};
(() => {
  const fill = (template, args) => template.replace(/\{(\w+)\}/g, (all, name) => args[name] ?? all);

  const short = page => page.title.replace(/^(SIP )+/, "");

  // One sentence for each, and what sets them apart.
  const apart = (plan, a, b) => {
    const says = facts => fill(facts.says === "" ? plan.unregistered : plan.says, facts);
    const [fact, template] = plan.apart.find(([fact]) => a[fact] !== b[fact]) ?? plan.apart.at(-1);
    const args = { a: a.code, b: b.code, first: a[fact], second: b[fact] };
    return [says(a), says(b), a.code === b.code ? plan.same : fill(template, args)];
  };

  const beside = (id, pages, columns) => {
    const sections = pages.map(page => page.sections.find(section => section.id === id));
    const heading = (sections[0] ?? sections[1])?.heading;
    const rows = sections.map((section, side) => [columns[side], section ? (section.text ?? []).join(" ") : "-"]);
    return heading === undefined ? [] : [{ id, heading, rows }];
  };

  // The page of a comparison, in the form of `sipexplain compare --format json`.
  sipexplain.compare = (plan, lang, left, right) => {
    const [a, b] = [left.facts, right.facts];
    const columns = [short(left), short(right)];
    const sections = plan.beside.flatMap(id => beside(id, [left, right], columns));
    if (a && b) {
      const rows = plan.rows.map(([fact, label]) => [label, a[fact], b[fact]]);
      sections.unshift({ id: "apart", heading: plan.short, text: apart(plan, a, b) });
      sections.push({ id: "differences", heading: plan.differences, rows: [["", ...columns], ...rows] });
      const which = [a, b].flatMap(facts => plan.choose.map(template => fill(template, facts)));
      sections.push({ id: "which", heading: plan.which, text: which });
    }
    const title = fill(plan.title, { a: columns[0], b: columns[1] });
    return { key: `${left.key}/${right.key}`, title, note: "", sections, lang };
  };

  sipexplain.fill = fill;
})();
