"""Reading the datasets: tables, rules, image stores, files written whole or not at all, and the simulated cohort."""
