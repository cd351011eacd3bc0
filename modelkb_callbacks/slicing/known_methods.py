"""Methods of arrays, frames, texts, containers and datasets, by what they leave as it is."""

from __future__ import annotations

# Methods that leave their object as it is: of arrays, frames, texts, containers, datasets.
PURE_METHODS = frozenset(
    """
    abs agg aggregate all any apply applymap argmax argmin argpartition argsort as_matrix as_numpy
    as_numpy_iterator as_posix assign astype asfreq at_time batch between bfill bitwise_and cache
    capitalize cardinality casefold clip combine concat concatenate conj copy corr count cov cpu
    crosstab cummax cummin cumprod cumsum decode describe detach diagonal diff difference
    distance div divide dot drop drop_duplicates dropna dtypes duplicated element_spec encode
    endswith enumerate eq equals evaluate ewm exists expanduser explode exp fetch ffill fillna
    filter find first flat_map flatten float floor format from_tensor_slices ge get get_dummies
    get_feature_names get_feature_names_out get_group get_params get_shape get_weights groupby gt
    half head hist idxmax idxmin index inertia info int interleave interpolate intersection
    inverse_transform is_dir is_file isalnum isalpha isdigit isin isna isnull issubset items
    iterrows itertuples join joinpath keys kurt last le ljust log long lower lstrip lt map mask
    max mean median melt merge min mod mode mul name nbytes ndim ne nlargest nonzero notna notnull
    nsmallest numpy nunique options padded_batch partition pct_change pivot pivot_table plot pow
    predict predict_proba prefetch prod product ptp quantile query rank ravel read_bytes read_text
    reduce reindex relative_to rename repeat replace reset_index reshape resolve rfind rglob rindex
    rjust rolling round rsplit rstrip save score searchsorted select_dtypes sem set_index shape
    shift size skew skip slice sort_index sort_values split splitlines squeeze stack startswith
    std stem stride strftime string strip sub subtract sum summary swapaxes swapcase
    symmetric_difference
    tail take tensor title to to_csv to_dict to_frame to_json to_list to_numpy to_parquet to_pickle
    to_string tobytes tojson tolist to_tensor trace transform transpose truncate tz_convert
    tz_localize
    union unbatch unique unstack upper value_counts values var view where window with_name
    with_options with_suffix xs zfill zip decision_function get_config get_layer count_params
    parse_args parse_known_args glob iterdir vstack hstack
    """.split()  # noqa: SIM905 - hundreds of words, to be read as such
)
# Methods that keep what they are given as it is, whatever they do to their own object.
SAFE_FOR_ARGUMENTS = frozenset(
    """
    adapt add append appendleft build call compile debug error evaluate exception extend fit
    fit_generator fit_transform imshow info insert log log_metric log_param log_params partial_fit
    plot predict print put register remove save save_weights scatter set setdefault show summary
    train_on_batch test_on_batch transform update warning write writelines writerow writerows xfit
    bar hist pie boxplot legend title set_title set_xlabel set_ylabel load_weights load_state_dict
    """.split()  # noqa: SIM905 - hundreds of words, to be read as such
)
# What gives out new memory: a change of the result changes nothing else.
FRESH = frozenset(
    """
    copy deepcopy array astype to_categorical mean sum std var max min argmax argmin len shape
    tolist zeros ones arange linspace concatenate vstack hstack stack dot matmul train_test_split
    predict predict_proba evaluate fit_generator score count format encode decode join split strip
    read read_csv load loads to_numpy_copy zeros_like ones_like full full_like random rand randn
    randint uniform normal permutation where unique tile repeat expand_dims_copy pad exp log sqrt
    fit_on_texts texts_to_sequences pad_sequences one_hot bincount sample
    """.split()  # noqa: SIM905 - hundreds of words, to be read as such
)
