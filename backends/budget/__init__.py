"""The budget port: `strava.budget.BudgetStore`, kept in a file where programs of one machine share the app's calls."""
