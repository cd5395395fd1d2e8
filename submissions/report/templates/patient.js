// A dot and its row are one lesion: whichever is chosen, both are marked.
const mark = rank => {
  for (const one of document.querySelectorAll(".chosen")) one.classList.remove("chosen");
  const both = ["d-", "l-"].map(kind => document.getElementById(kind + rank)).filter(Boolean);
  for (const one of both) one.classList.add("chosen");
};
const follow = () => {
  const found = location.hash.match(/^#[dl]-(\d+)$/);
  if (found) mark(found[1]);
};
addEventListener("hashchange", follow);
document.addEventListener("click", event => {
  const link = event.target.closest("a"), row = event.target.closest(".entries > li");
  const wanted = link ? link.getAttribute("href") : row && "#d-" + row.id.slice(2);
  if (!wanted || !wanted.startsWith("#d-")) return;
  if (link) event.preventDefault();
  const rank = wanted.slice(3);
  mark(rank);
  const dot = document.getElementById("d-" + rank);
  if (!dot) return;
  dot.closest("svg").scrollIntoView({ block: "nearest" });
  if (link) dot.closest("a").focus({ preventScroll: true });
});
follow();
