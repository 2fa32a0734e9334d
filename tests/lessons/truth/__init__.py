"""What the lessons claim, worked out from what the plain scripts compute; a file a lesson.

`CLAIMS` has every claim of the lesson, `TRIES` what the prose says of each thing to try; both are
functions of `n`, the numbers of the scripts and the values of the parameters, by name.
"""
