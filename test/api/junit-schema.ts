/**
 * What CI servers check of a JUnit document, in our own words: the elements, attributes and nesting of `junit-10.xsd`, which
 * Jenkins' xunit plugin validates against. What it has that we never write is left out, so that it would be refused.
 */
const text = (name: string) =>
  `<xs:element name="${name}"><xs:complexType mixed="true">
     <xs:attribute name="message" type="xs:string"/><xs:attribute name="type" type="xs:string"/>
   </xs:complexType></xs:element>`;
const attribute = (name: string, more = 'type="xs:string"') =>
  `<xs:attribute name="${name}" ${more}/>`;
const required = 'type="xs:string" use="required"';
const seconds = 'type="seconds"';

export const JUNIT_SCHEMA = `<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="seconds"><xs:restriction base="xs:string">
    <xs:pattern value="[0-9]*(\\.[0-9]*)?"/>
  </xs:restriction></xs:simpleType>
  ${['failure', 'error', 'skipped'].map(text).join('\n')}
  <xs:element name="properties"><xs:complexType><xs:sequence>
    <xs:element name="property" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      ${attribute('name', required)}${attribute('value', required)}
    </xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="testcase"><xs:complexType>
    <xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element ref="skipped"/><xs:element ref="error"/><xs:element ref="failure"/>
      <xs:element name="system-out" type="xs:string"/>
    </xs:choice>
    ${attribute('name', required)}${attribute('time')}${attribute('classname')}${attribute('group')}
  </xs:complexType></xs:element>
  <xs:element name="testsuite"><xs:complexType>
    <xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element ref="properties"/><xs:element ref="testcase"/>
    </xs:choice>
    ${['name', 'tests', 'failures', 'errors'].map((name) => attribute(name, required)).join('')}
    ${['skipped', 'timestamp', 'hostname', 'id', 'package'].map((name) => attribute(name)).join('')}
    ${attribute('time', seconds)}
  </xs:complexType></xs:element>
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
    ${['name', 'tests', 'failures', 'errors'].map((name) => attribute(name)).join('')}
    ${attribute('time', seconds)}
  </xs:complexType></xs:element>
</xs:schema>
`;
