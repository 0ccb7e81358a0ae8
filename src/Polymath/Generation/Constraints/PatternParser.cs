using System.Globalization;
using System.Text;
using static Polymath.Generation.Constraints.Pattern;

namespace Polymath.Generation.Constraints;

/// <summary>Reads what ECMAScript and .NET regular expressions have in common, as far as it is regular.</summary>
internal sealed class PatternParser
{
    private const int MostTimes = 100_000;

    private static readonly CodePointSet s_digits = CodePointSet.Of(('0', '9'));
    private static readonly CodePointSet s_word = CodePointSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    private static readonly CodePointSet s_space = CodePointSet.Of(
        ('\t', '\r'), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F),
        (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    private static readonly CodePointSet s_dot = CodePointSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Not();

    private readonly string _text;
    private readonly CompileBudget _budget;
    private int _at;
    private int _depth;

    public PatternParser(string text, CompileBudget budget)
    {
        CompileBudget.CheckSource(text.Length, "pattern");
        _text = text;
        _budget = budget;
    }

    private bool AtEnd => _at == _text.Length;

    private char Current => _text[_at];

    public Part Parse()
    {
        Part part = ReadEither();
        return AtEnd ? part : throw Wrong("a ) that closes nothing");
    }

    private Part ReadEither()
    {
        if (++_depth > CompileBudget.Depth)
            throw Wrong($"groups within each other, more than {CompileBudget.Depth}");
        var parts = new List<Part> { ReadSequence() };
        while (Skip('|'))
            parts.Add(ReadSequence());
        _depth--;
        return parts.Count == 1 ? parts[0] : new Either(parts);
    }

    private Part ReadSequence()
    {
        var parts = new List<Part>();
        while (!AtEnd && Current is not ('|' or ')'))
        {
            _budget.Work(1);
            parts.Add(ReadQuantified());
        }

        return parts.Count == 1 ? parts[0] : new Sequence(parts);
    }

    private Part ReadQuantified()
    {
        int start = _at;
        Part part = ReadAtom();
        if (!TryQuantifier(out int least, out int? most))
            return part;
        Skip('?');   // lazy: the same texts match
        if (TryQuantifier(out _, out _))
            throw Refused("quantifier", start, "it stands behind another one");
        if (most < least)
            throw Wrong("a quantifier with its ends in the wrong order");
        return new Repeat(part, least, most, start);
    }

    private bool TryQuantifier(out int least, out int? most)
    {
        (least, most) = (0, null);
        if (AtEnd)
            return false;
        switch (Current)
        {
            case '*':
                _at++;
                return true;
            case '+':
                _at++;
                least = 1;
                return true;
            case '?':
                _at++;
                most = 1;
                return true;
            case '{':
                return TryCounts(out least, out most);
            default:
                return false;
        }
    }

    /// <summary>{n}, {n,} or {n,m}; anything else behind a brace is text.</summary>
    private bool TryCounts(out int least, out int? most)
    {
        int start = _at++;
        most = null;
        bool known = TryNumber(out least);
        if (known && Skip(','))
        {
            if (!AtEnd && Current != '}' && (known = TryNumber(out int end)))
                most = end;
        }
        else
        {
            most = least;
        }

        if (known && Skip('}'))
            return true;
        _at = start;
        return false;
    }

    private bool TryNumber(out int number)
    {
        number = 0;
        int start = _at;
        for (; !AtEnd && char.IsAsciiDigit(Current); _at++)
        {
            number = (number * 10) + (Current - '0');
            if (number > MostTimes)
                throw Wrong($"a count above {MostTimes}");
        }

        return _at > start;
    }

    private Part ReadAtom()
    {
        int start = _at;
        switch (Current)
        {
            case '(':
                return ReadGroup();
            case '[':
                return new One(ReadClass());
            case '.':
                _at++;
                return new One(s_dot);
            case '^' or '$':
                return new Anchor(_text[_at++] == '$', start);
            case '\\':
                return new One(ReadEscape(inClass: false));
            case '*' or '+' or '?':
                throw Wrong("a quantifier with nothing before it");
            case '{' when TryCounts(out _, out _):
                throw Wrong("a quantifier with nothing before it");
            default:
                return new One(CodePointSet.Of(ReadCharacter()));
        }
    }

    private Part ReadGroup()
    {
        int start = _at++;
        if (Skip('?'))
        {
            if (Ahead("<=") || Ahead("<!") || Ahead("=") || Ahead("!"))
                throw Refused("lookaround", start, "it is not regular");
            if (Skip('<'))
            {
                int close = _text.IndexOf('>', _at);
                if (close < 0)
                    throw Wrong("a group's name without its end");
                _at = close + 1;
            }
            else if (!Skip(':'))
            {
                throw Refused("(?", start, "only (?: and (?<name> groups are");
            }
        }

        Part part = ReadEither();
        return Skip(')') ? part : throw Wrong("a ( that is not closed");
    }

    private CodePointSet ReadClass()
    {
        int start = _at++;
        bool negated = Skip('^');
        if (Ahead("]"))
            throw Refused("empty class", start, "ECMAScript and .NET read it differently");
        var ranges = new List<(int First, int Last)>();
        CodePointSet named = CodePointSet.None;
        while (!Ahead("]"))
        {
            if (AtEnd)
                throw Wrong("a [ that is not closed");
            _budget.Work(1);
            int first = ReadClassMember(ref named);
            if (!Ahead("-") || _at + 1 == _text.Length || _text[_at + 1] == ']')
            {
                AddMember(ranges, first, first);
                continue;
            }

            _at++;
            if (Ahead("["))
                throw Refused("class subtraction", _at, "ECMAScript has none");
            int last = ReadClassMember(ref named);
            if (first < 0 || last < 0)
            {
                AddMember(ranges, first, first);   // [\w-a]: the dash stands for itself
                AddMember(ranges, '-', '-');
                AddMember(ranges, last, last);
            }
            else if (last < first)
            {
                throw Wrong("a range with its ends in the wrong order");
            }
            else
            {
                ranges.Add((first, last));
            }
        }

        _at++;
        CodePointSet set = CodePointSet.Of(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ranges)).Or(named);
        return negated ? set.Not() : set;
    }

    private static void AddMember(List<(int First, int Last)> ranges, int first, int last)
    {
        if (first >= 0)
            ranges.Add((first, last));
    }

    /// <summary>A character; or -1 for an escape that stands for several, which are added to <paramref name="named"/>.</summary>
    private int ReadClassMember(ref CodePointSet named)
    {
        if (Current != '\\')
            return ReadCharacter();
        CodePointSet set = ReadEscape(inClass: true);
        if (set.Ranges is [(int first, int last)] && first == last)
            return first;
        named = named.Or(set);
        return -1;
    }

    private int ReadCharacter()
    {
        if (!Rune.TryGetRuneAt(_text, _at, out Rune rune))
            throw Wrong("half a surrogate pair");
        _at += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private CodePointSet ReadEscape(bool inClass)
    {
        int start = _at++;
        if (AtEnd)
            throw Wrong("a \\ at the end");
        char c = _text[_at++];
        switch (c)
        {
            case 'd':
                return s_digits;
            case 'D':
                return s_digits.Not();
            case 'w':
                return s_word;
            case 'W':
                return s_word.Not();
            case 's':
                return s_space;
            case 'S':
                return s_space.Not();
            case 'p' or 'P':
                CodePointSet category = ReadCategory(start);
                return c == 'P' ? category.Not() : category;
            case 'x':
                return CodePointSet.Of(ReadHex(2));
            case 'u':
                return CodePointSet.Of(ReadUnicode());
            case 'b' when !inClass:
                throw Refused("\\b", start, "it looks around");
            case >= '1' and <= '9' or 'k':
                throw Refused("back reference", start, "it is not regular");
            default:
                int index = "tnrfv0b".IndexOf(c, StringComparison.Ordinal);
                if (index >= 0 && !(c == '0' && !AtEnd && char.IsAsciiDigit(Current)))
                    return CodePointSet.Of("\t\n\r\f\v\0\b"[index]);
                if (char.IsAsciiLetterOrDigit(c))
                    throw Refused($"\\{c}", start, "no such escape is known");
                _at--;
                return CodePointSet.Of(ReadCharacter());
        }
    }

    private CodePointSet ReadCategory(int start)
    {
        int close = Skip('{') ? _text.IndexOf('}', _at) : -1;
        if (close < 0)
            throw Wrong("a \\p without {category}");
        string name = _text[_at..close];
        _at = close + 1;
        return CodePointSet.OfCategory(name) ?? throw Refused($"\\p{{{name}}}", start, "only general categories such as L or Lu are");
    }

    private int ReadUnicode()
    {
        if (Skip('{'))
        {
            int close = _text.IndexOf('}', _at);
            if (close < 0 || close == _at || close - _at > 6)
                throw Wrong("a \\u{ without its digits");
            int value = ReadHex(close - _at);
            _at++;
            return Rune.IsValid(value) ? value : throw Wrong("an escape that is no character");
        }

        int unit = ReadHex(4);
        if (char.IsHighSurrogate((char)unit) && Ahead("\\u"))
        {
            _at += 2;
            int low = ReadHex(4);
            if (char.IsLowSurrogate((char)low))
                return char.ConvertToUtf32((char)unit, (char)low);
        }

        return Rune.IsValid(unit) ? unit : throw Wrong("an escape that is half a surrogate pair");
    }

    private int ReadHex(int digits)
    {
        if (_at + digits > _text.Length
            || !int.TryParse(_text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
            throw Wrong($"an escape without its {digits} hexadecimal digits");
        _at += digits;
        return value;
    }

    private bool Ahead(string what) => string.CompareOrdinal(_text, _at, what, 0, what.Length) == 0;

    private bool Skip(char c)
    {
        if (AtEnd || Current != c)
            return false;
        _at++;
        return true;
    }

    private ConstraintException Wrong(string what) =>
        new($"the pattern has {what}, at offset {_at}") { Place = $"offset {_at}" };

    private static ConstraintException Refused(string what, int offset, string why) =>
        ConstraintException.Refused(what, $"offset {offset}", why);
}
