//! Statistics of traces: means, standard errors, autocorrelation, effective sample size, R-hat.
