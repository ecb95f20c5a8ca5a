-- kind, id
announce(arg(1), arg(2))
return 1
