// Rows whose patient holds what was typed stay.
const field = document.querySelector("input[type=search]"), said = document.getElementById("found");
const rows = [...document.querySelectorAll("tbody tr")];
field.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    row.hidden = !row.dataset.patient.toLowerCase().includes(wanted);
    shown += !row.hidden;
  }
  said.textContent = `${shown} of ${rows.length} patients`;
});
