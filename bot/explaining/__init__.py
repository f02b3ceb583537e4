"""From a symptom to its cause: what moved, what changed before, what is new in the logs, where a request lost its time.

`facts` holds what was read, `ranking` says what that speaks for, `wording` says it to people. All three are pure.
"""
