using System.Globalization;
using System.Text;
using static Polymath.Generation.Constraints.Expression;

namespace Polymath.Generation.Constraints;

/// <summary>Reads llama.cpp's grammar language (GBNF).</summary>
internal sealed class GbnfParser
{
    private const int MostTimes = 100_000;

    private readonly string _text;
    private readonly Dictionary<string, Rule> _rules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _firstUse = new(StringComparer.Ordinal);
    private int _at;
    private int _depth;

    public GbnfParser(string text)
    {
        CompileBudget.CheckSource(text.Length, "grammar");
        _text = text;
    }

    private bool AtEnd => _at == _text.Length;

    /// <summary>The expression of rule "root".</summary>
    public Expression Parse()
    {
        SkipBlanks(lines: true);
        while (!AtEnd)
            ReadRule();
        foreach ((string name, int offset) in _firstUse)
        {
            if (_rules[name].Body is null)
                throw Wrong($"rule {name} is used and never defined", offset);
        }

        return _rules.TryGetValue("root", out Rule? root) ? new Reference(root) : throw Wrong("there is no rule root", 0);
    }

    private void ReadRule()
    {
        int start = _at;
        string name = ReadName();
        SkipBlanks(lines: false);
        if (!Skip("::="))
            throw Wrong($"::= is missing behind {name}", _at);
        SkipBlanks(lines: true);
        Rule rule = RuleOf(name);
        if (rule.Body is not null)
            throw Wrong($"rule {name} is defined twice", start);
        rule.Body = ReadAlternatives();
        if (!AtEnd && !SkipLine())
            throw Wrong("the end of a line is expected", _at);
        SkipBlanks(lines: true);
    }

    private Expression ReadAlternatives()
    {
        if (++_depth > CompileBudget.Depth)
            throw Wrong($"groups within each other, more than {CompileBudget.Depth}", _at);
        var alternatives = new List<Expression> { ReadSequence() };
        while (Skip("|"))
        {
            SkipBlanks(lines: true);
            alternatives.Add(ReadSequence());
        }

        _depth--;
        return Any([.. alternatives]);
    }

    private Expression ReadSequence()
    {
        var parts = new List<Expression>();
        while (!AtEnd && _text[_at] is not ('|' or ')' or '\n' or '\r'))
        {
            Expression part = ReadAtom();
            while (TryQuantifier(out int least, out int? most))
                part = Times(part, least, most);
            parts.Add(part);
        }

        return All([.. parts]);
    }

    private Expression ReadAtom()
    {
        switch (_text[_at])
        {
            case '"':
                string literal = ReadLiteral();
                SkipBlanks(_depth > 1);
                return Literal(literal);
            case '[':
                CodePointSet set = ReadClass();
                SkipBlanks(_depth > 1);
                return Character(set);
            case '.':
                _at++;
                SkipBlanks(_depth > 1);
                return Character(CodePointSet.All);
            case '(':
                _at++;
                SkipBlanks(lines: true);
                Expression group = ReadAlternatives();
                if (!Skip(")"))
                    throw Wrong("a ( is not closed", _at);
                SkipBlanks(_depth > 1);
                return group;
            case '<' or '!':
                return ReadToken();
            default:
                int start = _at;
                string name = ReadName();
                SkipBlanks(_depth > 1);
                _firstUse.TryAdd(name, start);
                return new Reference(RuleOf(name));
        }
    }

    /// <summary>&lt;text&gt;: a control token by its text.</summary>
    private Token ReadToken()
    {
        int close = _text.IndexOf('>', _at);
        if (_text[_at] == '!')
            throw ConstraintException.Refused("!", Place(_at), "a token cannot be negated");
        if (close < 0 || _text.AsSpan(_at, close - _at).ContainsAny('\n', ' '))
            throw Wrong("a token without its >", _at);
        if (_text[_at + 1] == '[')
            throw ConstraintException.Refused("<[id]>", Place(_at), "a token is named by its text");
        string text = _text[_at..(close + 1)];
        _at = close + 1;
        SkipBlanks(_depth > 1);
        return new Token(text, Literal(text));
    }

    private bool TryQuantifier(out int least, out int? most)
    {
        (least, most) = (0, null);
        if (AtEnd)
            return false;
        switch (_text[_at])
        {
            case '*':
                break;
            case '+':
                least = 1;
                break;
            case '?':
                most = 1;
                break;
            case '{':
                ReadCounts(out least, out most);
                break;
            default:
                return false;
        }

        _at++;
        SkipBlanks(_depth > 1);
        return true;
    }

    private void ReadCounts(out int least, out int? most)
    {
        _at++;
        SkipBlanks(lines: true);
        least = TryNumber() ?? throw Wrong("a count is expected", _at);
        SkipBlanks(lines: true);
        most = least;
        if (Skip(","))
        {
            SkipBlanks(lines: true);
            most = TryNumber();
            SkipBlanks(lines: true);
        }

        if (AtEnd || _text[_at] != '}')
            throw Wrong("a { is not closed", _at);
        if (most < least)
            throw Wrong("the ends of a count are in the wrong order", _at);
    }

    private int? TryNumber()
    {
        int start = _at, number = 0;
        for (; !AtEnd && char.IsAsciiDigit(_text[_at]); _at++)
        {
            number = (number * 10) + (_text[_at] - '0');
            if (number > MostTimes)
                throw Wrong($"a count is above {MostTimes}", start);
        }

        return _at > start ? number : null;
    }

    private string ReadLiteral()
    {
        int start = _at++;
        var text = new StringBuilder();
        while (true)
        {
            if (AtEnd || _text[_at] is '\n')
                throw Wrong("a \" is not closed", start);
            if (Skip("\""))
                return text.ToString();
            text.Append(new Rune(ReadCharacter()));
        }
    }

    private CodePointSet ReadClass()
    {
        int start = _at++;
        bool negated = Skip("^");
        var ranges = new List<(int First, int Last)>();
        while (!Skip("]"))
        {
            if (AtEnd || _text[_at] is '\n')
                throw Wrong("a [ is not closed", start);
            int first = ReadCharacter(), last = first;
            if (_at + 1 < _text.Length && _text[_at] == '-' && _text[_at + 1] != ']')
            {
                _at++;
                last = ReadCharacter();
            }

            if (last < first)
                throw Wrong("the ends of a range are in the wrong order", _at);
            ranges.Add((first, last));
        }

        CodePointSet set = CodePointSet.Of(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ranges));
        return negated ? set.Not() : set;
    }

    private int ReadCharacter()
    {
        int start = _at;
        if (_text[_at] != '\\')
        {
            if (!Rune.TryGetRuneAt(_text, _at, out Rune rune))
                throw Wrong("half a surrogate pair", start);
            _at += rune.Utf16SequenceLength;
            return rune.Value;
        }

        _at++;
        char escape = AtEnd ? '\0' : _text[_at++];
        return escape switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '"' or '\\' or '[' or ']' or '-' or '^' => escape,
            'x' => ReadHex(2),
            'u' => ReadHex(4),
            'U' => ReadHex(8),
            _ => throw Wrong("an escape is not known", start),
        };
    }

    private int ReadHex(int digits)
    {
        if (_at + digits > _text.Length
            || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || !Rune.IsValid(value))
            throw Wrong($"an escape lacks its {digits} hexadecimal digits, or is no character", _at);
        _at += digits;
        return value;
    }

    private Rule RuleOf(string name)
    {
        if (_rules.TryGetValue(name, out Rule? rule))
            return rule;
        if (_rules.Count >= CompileBudget.Rules)
            throw new ConstraintException($"the grammar has more than {CompileBudget.Rules} rules");
        rule = new Rule(name);
        _rules.Add(name, rule);
        return rule;
    }

    private string ReadName()
    {
        int start = _at;
        while (!AtEnd && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '-' or '_'))
            _at++;
        return _at > start ? _text[start.._at] : throw Wrong("a name is expected", start);
    }

    private void SkipBlanks(bool lines)
    {
        while (!AtEnd)
        {
            if (_text[_at] == '#')
            {
                int end = _text.AsSpan(_at).IndexOfAny('\n', '\r');
                _at = end < 0 ? _text.Length : _at + end;
            }
            else if (_text[_at] is ' ' or '\t' || (lines && _text[_at] is '\n' or '\r'))
            {
                _at++;
            }
            else
            {
                return;
            }
        }
    }

    private bool SkipLine() => Skip("\r\n") || Skip("\n") || Skip("\r");

    private bool Skip(string what)
    {
        if (string.CompareOrdinal(_text, _at, what, 0, what.Length) != 0)
            return false;
        _at += what.Length;
        return true;
    }

    private string Place(int offset) => $"line {_text.AsSpan(0, offset).Count('\n') + 1}";

    private ConstraintException Wrong(string what, int offset) =>
        new($"{what}, in {Place(Math.Min(offset, _text.Length))} of the grammar") { Place = Place(Math.Min(offset, _text.Length)) };
}
