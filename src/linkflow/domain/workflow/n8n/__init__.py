"""Workflows of n8n as ours: one pure mapping, for files, for the API and for what is pasted into the editor.

| module | what it does |
|---|---|
| `workflow` | nodes, lines, trigger, notes and settings of a workflow |
| `nodes`, `values`, `requests`, `conditions`, `schedules` | what each kind of node becomes |
| `data` | where the data of a node comes from, and expressions |
"""
