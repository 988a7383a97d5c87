//! spotpool-operator
