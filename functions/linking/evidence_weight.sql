-- log2(m / u). For values with known frequencies, the frequency replaces u to the
-- degree `tf_weight`, but never below `tf_minimum`.
select
    (
        ln(m_probability / u_probability)
        + coalesce(
            tf_weight * ln(tf_u_probability / greatest(frequency, tf_minimum)), 0
        )
    ) / ln(2::double precision)
