module factor2

go 1.19
