using static Polymath.Generation.Constraints.Expression;

namespace Polymath.Generation.Constraints.Schemas;

/// <content>Objects: named members in the order of the schema, then others.</content>
internal sealed partial class SchemaCompiler
{
    private const int MostPatterns = 8;

    private Expression OfObject(Facets facets, Schema place)
    {
        if (!facets.HasMemberRule)
            return _syntax.List("{", _syntax.Many(All(JsonSyntax.String, Literal(":"), _syntax.AfterColon, _syntax.Value)), "}");
        List<string> names = [.. facets.Members.SelectMany(clause => clause.Named).Select(named => named.Name)
            .Concat(facets.Required).Distinct(StringComparer.Ordinal)];
        ByteDfa? allowed = facets.Names.Count == 0 ? null : Names(facets.Names);
        bool counted = facets.MinProperties > 1 || facets.MaxProperties is not null;
        var members = new List<Member>();
        foreach (string name in names)
        {
            bool required = facets.Required.Contains(name, StringComparer.Ordinal);
            bool possible = allowed is null || allowed.Matches(System.Text.Encoding.UTF8.GetBytes(JsonSyntax.Machines.Quote(name)));
            Expression value = possible ? Value(facets.Members.SelectMany(clause => clause.Of(name))) : Never;
            Expression body = All(Key(name), value);
            if (body != Never)
                members.Add(new Member(counted ? OwnRule(name, body) : body, required));
            else if (required)
                return Never;
        }

        Expression more = Others(facets, names, allowed, place);
        int least = Math.Max(facets.MinProperties, 0), most = facets.MaxProperties ?? int.MaxValue;
        if (least <= facets.Required.Count)
            least = 0;
        if (least > 1 && more != Never && facets.MaxProperties != 0 && least > members.Count)
            throw place.Refused("minProperties", "members of no name do not count, since they might have one name twice");
        if (most < Math.Max(least, facets.Required.Count) || least > members.Count + (more == Never ? 0 : 1))
            return Never;
        most = more == Never && most >= members.Count ? int.MaxValue : most;
        if (most != int.MaxValue && most > CompileBudget.Rules)
            throw place.Refused("maxProperties", $"{CompileBudget.Rules} is the most");
        if (most == 0 || (members.Count == 0 && more == Never))
            return Literal("{}");
        var list = new Members([.. members], _syntax.Separator, more, Math.Max(1, least), most == int.MaxValue ? null : most,
            1 + Math.Max(more.Depth, members.Count == 0 ? 0 : members.Max(member => member.Body.Depth)));
        Expression full = All(Literal("{"), _syntax.Inside, list, _syntax.Inside, Literal("}"));
        return least > 0 || facets.Required.Count > 0 ? full : Any(full, Literal("{}"));
    }

    /// <summary>Members that the schema does not name: for each set of patterns that a name may match, the names and their values.</summary>
    private Expression Others(Facets facets, List<string> names, ByteDfa? allowed, Schema place)
    {
        ByteDfa[] patterns = [.. facets.Members.SelectMany(clause => clause.Patterns).Select(pattern => pattern.Names).Distinct()];
        if (patterns.Length > MostPatterns)
            throw place.Refused("patternProperties", $"{MostPatterns} patterns are the most");
        if (patterns.Length == 0 && facets.Members.Any(clause => clause.Others?.Constant == false))
            return Never;
        ByteDfa free = (allowed ?? ScalarMachines.AnyWritten).Except(
            ByteDfa.Literals(names.Select(name => System.Text.Encoding.UTF8.GetBytes(JsonSyntax.Machines.Quote(name))), _budget), _budget);
        var regions = new List<(ByteDfa Names, HashSet<ByteDfa> Matched)> { (free, []) };
        foreach (ByteDfa pattern in patterns)
        {
            regions =
            [
                .. regions.SelectMany(region => new[]
                {
                    (Names: region.Names.And(pattern, _budget), Matched: new HashSet<ByteDfa>(region.Matched) { pattern }),
                    (Names: region.Names.Except(pattern, _budget), region.Matched),
                }).Where(region => !region.Names.IsEmpty),
            ];
        }

        var ways = new List<Expression>();
        foreach ((ByteDfa region, HashSet<ByteDfa> matched) in regions)
        {
            var schemas = new List<Schema>();
            foreach (MemberClause clause in facets.Members)
            {
                List<Schema> own = [.. clause.Patterns.Where(pattern => matched.Contains(pattern.Names)).Select(pattern => pattern.Schema)];
                if (own.Count == 0 && clause.Others is not null)
                    own.Add(clause.Others);
                schemas.AddRange(own);
            }

            Expression value = Value(schemas);
            if (value != Never)
                ways.Add(All(OwnRule("name", Of(region)), Literal(":"), _syntax.AfterColon, value));
        }

        return Any([.. ways]);
    }

    /// <summary>The names that meet some schemas, in quotes.</summary>
    private ByteDfa Names(IReadOnlyList<Schema> schemas)
    {
        var ways = new List<Expression>();
        foreach (Facets facets in _reader.Read(schemas))
        {
            if (!facets.Types.HasFlag(JsonTypes.String))
                continue;
            Facets strings = facets with { Types = JsonTypes.String };
            ways.Add(strings.Values is not null ? OfValues(strings, schemas[0])
                : strings.HasStringRule ? Of(ScalarMachines.String(strings, _budget)) : Of(ScalarMachines.AnyWritten));
        }

        return ByteDfa.Of(Any([.. ways]), _budget).And(ScalarMachines.AnyWritten, _budget);
    }
}
